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


_STATISTICS = "model_stats[]."
_TENSOR_ORDER = ("outputs[", "bytes: ")

MEANT = [
    Meant(
        r"GET /v2/health/.*|GET .*/ready|loaded: ready",
        "the protocol's text has a body there, which Triton leaves out",
        only_pipeline=("live: bool", "ready: bool", "name: str"),
    ),
    Meant(
        r"GET .*/(systemsharedmemory/status|trace/setting|logging)",
        "no shared memory, traces or log settings are served over HTTP; the extensions do not name them",
        (200, 404),
    ),
    Meant(
        r"GET .*/(versions/9|nobody)/(ready|stats)|unloaded: ready",
        "404 is what the protocol has for what is not there, and what Triton says at the other addresses",
        (400, 404),
    ),
    Meant(
        r"GET .*/config",
        "the rest of Triton's configuration is about its own scheduler, devices and files",
        only_triton=(
            *("default_model_filename", "input[].", "output[].", "instance_group", "optimization", "version_policy"),
            *("model_warmup", "model_transaction", "response_cache", "runtime"),
        ),
    ),
    Meant(
        r"GET .*/stats|stats of all",
        "what is not measured is left out: no cache here, and inputs and outputs are no steps of their own",
        only_triton=tuple(
            _STATISTICS + each
            for each in (
                *("execution_count", "last_inference", "inference_stats.cache_", "inference_stats.compute_input"),
                *("inference_stats.compute_output", "batch_stats", "memory_usage", "response_stats"),
            )
        ),
    ),
    Meant(
        r"(unloaded: )?index.*", "the reason of a state may be empty, and is always there", only_pipeline=("[].reason",)
    ),
    Meant(
        r"(index|load): no JSON|binary: a head that is too short|infer: (no JSON|a list|no inputs|null|inputs no list"
        r"|no (name|data|shape|datatype)|too (few|many) numbers|a negative size|a fraction .*"
        r"|(texts|booleans|nulls|numbers) for .*|an output without a name|an id that is a number|parameters no object"
        r"|a timeout that is a text)",
        "what cannot be read is the client's fault: 400, as the protocol's text has it; Triton says 500",
        (500, 400),
    ),
    Meant(r"load: nobody", "there is no such network: 404, not a failure of the server", (500, 404)),
    Meant(r"unload: nobody", "a name that is mistyped is told", (200, 404)),
    Meant(r"infer: an empty id", "an id comes back as it was sent", only_pipeline=("id: ",)),
    Meant(
        r"infer: outputs in another order",
        "outputs come in the order in which they are asked for",
        only_triton=_TENSOR_ORDER,
        only_pipeline=_TENSOR_ORDER,
    ),
    Meant(
        r"(infer|binary): texts",
        "Keras sorts outputs that have names; clients find them by name",
        only_triton=_TENSOR_ORDER,
        only_pipeline=_TENSOR_ORDER,
    ),
    Meant(
        r"infer: fractions",
        "the shortest digits that tell a number from its neighbours of its own kind",
        only_triton=("outputs[0].data",),
        only_pipeline=("outputs[0].data",),
    ),
    Meant(r"infer: 65 rows", "Triton's configuration here says 64 at most; this gateway's says more", (400, 200)),
    Meant(
        r"binary: but one output",
        "binary_data_output is for outputs that say nothing themselves: so Triton's text has it, and Triton does not",
        only_triton=("outputs[1].data",),
        only_pipeline=("bytes: ", "outputs[1].parameters"),
    ),
    Meant(
        r"infer: (another|a wider) datatype",
        "numbers are taken as the kind that the network has when none is lost by it, as from JSON alone",
        (400, 200),
    ),
    Meant(
        r"infer: other nesting",
        "nested data have the shape that is told, or are flat: else something is mixed up",
        (200, 400),
    ),
    Meant(r"infer: a number that is too large", "no number is changed silently: Triton wraps it round", (200, 400)),
    Meant(
        r"infer: a sequence",
        "no network here keeps a state between requests, and a client that needs one is told",
        (200, 400),
    ),
    Meant(
        r"infer: a classification", "outputs come as they are; a client that wants classes of them is told", (200, 400)
    ),
    Meant(
        r"binary: a text no UTF-8", "texts are UTF-8 here, and others are refused before a worker sees them", (500, 400)
    ),
    Meant(r"compressed: half", "a body that broke off is refused, even where what came is enough", (200, 400)),
    Meant(r"compressed: nobody knows how", "415 is HTTP's status for that", (501, 415)),
]
