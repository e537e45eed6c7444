"""What the processes of a system take of the processors and of the memory, by part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import psutil

from tests.support.memory import resident_mb

#: A part's processes, found anew at each look: servers replace theirs.
Parts = Mapping[str, Callable[[], list[int]]]
#: Of a part's processor time.
NEXT_TO_NOTHING = 0.02


def cpu_seconds(pids: list[int]) -> dict[int, float]:
    """The processor time of each process since it began."""
    taken = {}
    for pid in pids:
        with suppress(psutil.Error):
            times = psutil.Process(pid).cpu_times()
            taken[pid] = times.user + times.system
    return taken


@dataclass(frozen=True)
class Usage:
    """A look at all parts; two of them give what was taken in between."""

    cpu: dict[str, dict[int, float]]
    rss_mb: dict[str, float]

    @classmethod
    def of(cls, parts: Parts) -> Usage:
        """A look now."""
        pids = {name: find() for name, find in parts.items()}
        return cls(
            {name: cpu_seconds(each) for name, each in pids.items()},
            {name: resident_mb(each) for name, each in pids.items()},
        )

    def cpu_since(self, before: Usage) -> dict[str, float]:
        """The seconds that each part has taken since an earlier look."""
        return {name: sum(self._by_process(before, name).values()) for name in self.cpu}

    def shares_since(self, before: Usage, part: str) -> dict[int, float]:
        """Each process's share of what a part took, the largest first; those that took next to nothing left out."""
        taken = self._by_process(before, part)
        total = sum(taken.values()) or 1.0
        shares = {pid: seconds / total for pid, seconds in taken.items() if seconds / total > NEXT_TO_NOTHING}
        return dict(sorted(shares.items(), key=lambda share: -share[1]))

    def _by_process(self, before: Usage, part: str) -> dict[int, float]:
        earlier = before.cpu.get(part, {})
        return {pid: seconds - earlier.get(pid, 0.0) for pid, seconds in self.cpu[part].items()}
