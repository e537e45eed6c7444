"""Makes all calls, and prints what is answered otherwise: python -m tests.conformance."""

from __future__ import annotations

import sys
from http.client import HTTPException

from tests.benchmarks.peers import triton_here
from tests.conformance.answers import Answer, answer_of
from tests.conformance.calls import Call, calls
from tests.conformance.differences import MEANT, Meant
from tests.conformance.servers import running_pipeline, running_triton

LINE_CHARACTERS = 110
NO_ANSWER = 0


def ask(address: str, call: Call) -> Answer:
    """What is answered; a connection that is cut is an answer, too."""
    try:
        return answer_of(address, call)
    except (OSError, HTTPException) as error:
        return Answer(NO_ANSWER, frozenset({f"{type(error).__name__}: {error}"}))


def differ(triton: Answer, pipeline: Answer) -> bool:
    """Whether they say different things; the words of errors are everybody's own."""
    return (triton.status, triton.says) != (pipeline.status, pipeline.says)


def show(call: Call, triton: Answer, pipeline: Answer, meant: Meant | None) -> None:
    """Print a difference."""
    statuses = f"{triton.status}" if triton.status == pipeline.status else f"{triton.status} / {pipeline.status}"
    print(f"{call.name}: {statuses} - {meant.why if meant else 'UNKNOWN'}")
    if triton.status == pipeline.status or not meant:
        for name, lines in (("Triton", triton.says - pipeline.says), ("Pipeline", pipeline.says - triton.says)):
            if lines:
                print(f"    only {name}: {', '.join(sorted(lines))[: LINE_CHARACTERS if meant else None]}")
    for name, error in (("Triton", triton.error), ("Pipeline", pipeline.error)):
        if error:
            print(f"    {name}: {' '.join(error.split())[:LINE_CHARACTERS]}")


def main() -> int:
    """0 when all differences are meant, and all that are meant were seen."""
    if reason := triton_here.why_not():
        print(f"Triton cannot run here: {reason}", file=sys.stderr)
        return 1
    seen: set[Meant] = set()
    unknown = alike = 0
    with running_triton() as triton_address, running_pipeline() as pipeline_address:
        for call in calls():
            triton, pipeline = ask(triton_address, call), ask(pipeline_address, call)
            if not differ(triton, pipeline):
                alike += 1
                continue
            meant = next((each for each in MEANT if each.covers(call.name, triton, pipeline)), None)
            seen |= {meant} if meant else set()
            unknown += meant is None
            show(call, triton, pipeline, meant)
    unseen = [each for each in MEANT if each not in seen]
    for each in unseen:
        print(f"not seen any more: {each.what} - {each.why}")
    asked = len(list(calls()))
    print(
        f"{asked} calls: {alike} alike, {asked - alike - unknown} otherwise as meant, {unknown} otherwise and unknown"
    )
    return int(bool(unknown or unseen))


if __name__ == "__main__":
    sys.exit(main())
