"""Sends the cases of many seeds, over many connections at a time, and counts what became of them."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from math import inf
from time import monotonic
from urllib.parse import urlsplit

from tests.fuzz.http.answers import Answer, NoAnswerError, read_answers
from tests.fuzz.http.case import Case
from tests.fuzz.http.cases import KINDS, case_of
from tests.fuzz.http.connection import HangError, exchange
from tests.fuzz.http.judge import faults

#: A case that takes longer hangs; a gateway lets a client be silent for two seconds here.
CASE_SECONDS = 30.0


@dataclass
class Summary:
    """What became of the cases."""

    cases: Counter[str] = field(default_factory=Counter)
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    slowest_seconds: float = 0.0
    slowest: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, name: str, case: Case, statuses: list[int], found: list[str], seconds: float) -> None:
        """Count one case."""
        with self._lock:
            self.cases[case.kind] += 1
            self.statuses.update((case.kind, status) for status in statuses)
            self.findings += [f"{name} ({case.kind}, {case.ending.name}): {fault}" for fault in found]
            if seconds > self.slowest_seconds:
                self.slowest_seconds, self.slowest = seconds, f"{name} ({case.kind})"

    def table(self) -> str:
        """For people."""
        lines = [f"{'kind':20}{'cases':>8}  answers"]
        for kind in KINDS:
            counted = sorted((status, count) for (its, status), count in self.statuses.items() if its == kind)
            lines.append(
                f"{kind:20}{self.cases[kind]:>8}  " + ", ".join(f"{count} x {status}" for status, count in counted)
            )
        lines.append(f"{'all':20}{self.cases.total():>8}  {sum(self.statuses.values())} answers")
        lines.append(f"slowest case {self.slowest_seconds:.2f} s: {self.slowest}")
        return "\n".join(lines)


def try_case(url: str, name: str, case: Case, summary: Summary) -> list[str]:
    """Send one case; what is wrong with its answers is returned, and counted."""
    began, statuses, found = monotonic(), [], []
    parts = urlsplit(url)
    try:
        received = exchange((parts.hostname or "", parts.port or 80), case, CASE_SECONDS)
        found = list(faults(case, received))
        statuses = [answer.status for answer in _readable(case, received)]
    except (HangError, OSError) as error:
        found = [f"{type(error).__name__}: {error}"]
    summary.add(name, case, statuses, found, monotonic() - began)
    return found


def run(url: str, seeds: range, connections: int, seconds: float = inf) -> Summary:
    """Send the cases of all seeds to the gateway at `url`, or of as many as begin within `seconds`."""
    summary, end = Summary(), monotonic() + seconds
    left = iter(seeds)
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                seed = next(left, None)
            if seed is None or monotonic() > end:
                return
            try_case(url, f"seed {seed}", case_of(seed), summary)

    with ThreadPoolExecutor(connections) as pool:
        for done in [pool.submit(work) for _ in range(connections)]:
            done.result()
    return summary


def _readable(case: Case, received: bytes) -> list[Answer]:
    try:
        return read_answers(received, [asked.request_id for asked in case.asked if asked.is_head])
    except NoAnswerError:
        return []
