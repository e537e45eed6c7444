"""How much memory processes take, looked at while a test goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

LOOK_SECONDS = 0.05
MEGABYTE = 1e6


def family(pid: int) -> list[int]:
    """A process and all that it has started."""
    return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]


def resident_mb(pids: list[int]) -> float:
    """The resident memory of processes in all, in megabytes; those that have ended take none."""
    total = 0
    for pid in pids:
        with suppress(psutil.Error):
            total += psutil.Process(pid).memory_info().rss
    return total / MEGABYTE


def peak_bytes(pid: int, *, afresh: bool = False) -> int:
    """The most resident memory that a process has had, as Linux counts it; `afresh`: counted from now on."""
    if afresh:
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    status = Path(f"/proc/{pid}/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


class PeakMemory:
    """The most that groups of processes have taken while the block runs."""

    def __init__(self, **groups: Callable[[], list[int]]) -> None:
        self._groups = groups
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.before = self.now()
        self.peak = dict(self.before)

    def now(self) -> dict[str, float]:
        """What each group takes now, in megabytes."""
        return {name: resident_mb(pids()) for name, pids in self._groups.items()}

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(10)

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            for name, megabytes in self.now().items():
                self.peak[name] = max(self.peak[name], megabytes)
