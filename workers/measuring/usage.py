"""What this process takes of its host."""

from __future__ import annotations

import os
import resource


def memory_bytes() -> int:
    """This process's resident memory; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123 - read once a second
            return int(statm.read().split()[1]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        return 0


def cpu_seconds() -> float:
    """The processor time that this process has taken."""
    times = os.times()
    return times.user + times.system
