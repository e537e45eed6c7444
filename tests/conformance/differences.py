"""What is meant to be answered otherwise than by Triton 2.51, and why.

A difference that is not here, and one that is here and not seen, end the run with 1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.conformance.answers import Answer


@dataclass(frozen=True)
class Meant:
    """A difference: calls whose names match, both statuses, and what the lines that only one says begin with."""

    what: str
    calls: str
    why: str
    statuses: tuple[int, int] | None = None
    only_triton: tuple[str, ...] = ()
    only_pipeline: tuple[str, ...] = ()

    def covers(self, call: str, triton: Answer, pipeline: Answer) -> bool:
        """Whether it is this one, and nothing else."""
        if not re.fullmatch(self.calls, call):
            return False
        if triton.status != pipeline.status:
            return self.statuses == (triton.status, pipeline.status)
        only_triton, only_pipeline = triton.says - pipeline.says, pipeline.says - triton.says
        return (
            self.statuses is None
            and all(line.startswith(self.only_triton) for line in only_triton)
            and all(line.startswith(self.only_pipeline) for line in only_pipeline)
        )


_TENSORS = ("outputs[", "bytes: ")

MEANT = [
    Meant(
        "health and readiness",
        r"GET /v2/health/.*|GET .*/ready|loaded: ready",
        "the protocol's text has a body there, which Triton leaves out",
        only_pipeline=("live: bool", "ready: bool", "name: str"),
    ),
    Meant(
        "shared memory, traces, log settings",
        r"GET .*/(systemsharedmemory/status|trace/setting|logging)",
        "not served; `extensions` does not name them",
        (200, 404),
    ),
    Meant(
        "readiness and statistics of what is not there",
        r"GET .*/(versions/9|nobody)/(ready|stats)|unloaded: ready",
        "404 is what the protocol has for it, and what Triton says at the other addresses",
        (400, 404),
    ),
    Meant(
        "configuration",
        r"GET .*/config",
        "the rest of Triton's is about its own scheduler, devices and files",
        only_triton=(
            *("default_model_filename", "input[].", "output[].", "instance_group", "optimization", "version_policy"),
            "runtime",
        ),
    ),
    Meant(
        "statistics",
        r"GET .*/stats|stats of all",
        "what is not measured is left out: there is no cache, and inputs and outputs are no steps of their own",
        only_triton=tuple(
            f"model_stats[].{each}"
            for each in (
                *("execution_count", "last_inference", "inference_stats.cache_", "inference_stats.compute_input"),
                *("inference_stats.compute_output", "batch_stats", "memory_usage", "response_stats"),
            )
        ),
    ),
    Meant(
        "the repository's index",
        r"(unloaded: )?index.*",
        "the reason of a state is always there, and may be empty",
        only_pipeline=("[].reason",),
    ),
    Meant(
        "what cannot be read",
        r"(index|load): no JSON|binary: a head that is too short|infer: (no JSON|a list|no inputs|null|inputs no list"
        r"|no (name|data|shape|datatype)|too (few|many) numbers|a negative size|a fraction .*"
        r"|(texts|booleans|nulls|numbers) for .*|an output without a name|an id that is a number|parameters no object"
        r"|a timeout that is a text)",
        "it is the client's fault, so 400, as the protocol's text has it",
        (500, 400),
    ),
    Meant("loading what is not there", r"load: nobody", "the server has not failed", (500, 404)),
    Meant("unloading what is not there", r"unload: nobody", "a name that is mistyped is told", (200, 404)),
    Meant("an empty id", r"infer: an empty id", "an id comes back as it was sent", only_pipeline=("id: ",)),
    Meant(
        "outputs that are asked for",
        r"infer: outputs in another order",
        "they come in the order in which they are asked for",
        only_triton=_TENSORS,
        only_pipeline=_TENSORS,
    ),
    Meant(
        "outputs that are not asked for one by one",
        r"(infer|binary): texts",
        "Keras sorts them by name; clients find them by name",
        only_triton=_TENSORS,
        only_pipeline=_TENSORS,
    ),
    Meant(
        "fractions in JSON",
        r"infer: fractions",
        "the shortest digits that tell a number from its neighbours of its own kind",
        only_triton=("outputs[0].data",),
        only_pipeline=("outputs[0].data",),
    ),
    Meant("65 rows", r"infer: 65 rows", "this Triton's configuration says 64 at most, Pipeline's 4096", (400, 200)),
    Meant(
        "`binary_data_output` beside `outputs`",
        r"binary: but one output",
        "it is for outputs that say nothing themselves: so Triton's text has it, and Triton does not",
        only_triton=("outputs[1].data",),
        only_pipeline=("bytes: ", "outputs[1].parameters"),
    ),
    Meant(
        "another datatype than the network's",
        r"infer: (another|a wider) datatype",
        "numbers are taken as the network's kind when none is lost by it; else 400",
        (400, 200),
    ),
    Meant(
        "nested data of another shape",
        r"infer: other nesting",
        "nested data have the shape that is told, or are flat: else something is mixed up",
        (200, 400),
    ),
    Meant(
        "a number that its datatype cannot hold",
        r"infer: a number that is too large",
        "no number is changed silently; Triton wraps it round",
        (200, 400),
    ),
    Meant("a sequence", r"infer: a sequence", "no network here keeps a state between requests", (200, 400)),
    Meant("a classification", r"infer: a classification", "outputs come as they are", (200, 400)),
    Meant("a text that is no UTF-8", r"binary: a text no UTF-8", "it is refused before a worker sees it", (500, 400)),
    Meant("a compressed body that breaks off", r"compressed: half", "what came may not be all", (200, 400)),
    Meant("another Content-Encoding", r"compressed: nobody knows how", "415 is HTTP's status for that", (501, 415)),
]


def table() -> str:
    """All of them in Markdown, for docs/protocols.md."""
    lines = ["| what | Triton | Pipeline | why |", "|---|---|---|---|"]
    for each in MEANT:
        triton, pipeline = each.statuses or _both(each)
        lines.append(f"| {each.what} | {triton} | {pipeline} | {each.why} |")
    return "\n".join(lines)


def _both(each: Meant) -> tuple[str, str]:
    if each.only_triton and each.only_pipeline:
        return "otherwise", "otherwise"
    return ("says more", "") if each.only_triton else ("", "says more")


if __name__ == "__main__":
    print(table())
