"""A whole fuzz of a running gateway: the cases, and whether it is afterwards what it was before."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import inf
from time import perf_counter

from tests.fuzz.http.footprint import Footprint, footprint, kept, settled
from tests.fuzz.http.gateway import log
from tests.fuzz.http.run import Summary, run
from tests.support.system import System

#: So many cases, of the same seeds, come before the first look: pools of threads and connections fill.
WARM_UP_CASES = 500
VECTOR = [0.3, 0.7]
#: What a log has of each defect, and of nothing that a client may send.
DEFECT = re.compile(r"(Internal Server Error|Error handling request|failed with \w+Error|could not be sent).*")


@dataclass
class Trial:
    """What came of it; `findings` is empty when all is well."""

    summary: Summary
    before: Footprint
    after: Footprint
    seconds: float
    findings: list[str]

    def __str__(self) -> str:
        lines = [self.summary.table(), f"before {self.before}", f"after  {self.after}"]
        rate = self.summary.cases.total() / self.seconds
        lines.append(f"{self.seconds:.0f} s, {rate:.0f} cases a second; {len(self.findings)} findings")
        return "\n".join([*lines, *self.findings[:40]])


def try_out(system: System, seeds: range, connections: int, seconds_max: float = inf) -> Trial:
    """Send the cases of all seeds, or of as many as begin in time."""
    warm_up = run(system.url, seeds[:WARM_UP_CASES], connections)
    answered, workers, before = _answer(system), system.workers_count(), footprint(system)
    began = perf_counter()
    summary = run(system.url, seeds, connections, seconds_max)
    seconds = perf_counter() - began
    findings = warm_up.findings + summary.findings
    after = settled(system, before, connections)
    findings += kept(before, after, connections)
    if _answer(system) != answered or system.workers_count() != workers:
        findings.append("the gateway does not answer as before")
    findings += [f"in the log: {found[0]}" for found in DEFECT.finditer(log(system))]
    return Trial(summary, before, after, seconds, findings)


def _answer(system: System) -> object:
    answer = system.client.predict(VECTOR)
    return answer["message"], round(answer["result"], 5)
