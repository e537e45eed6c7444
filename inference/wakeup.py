"""How a request waits for its answer: its thread on a lock, unless the server that runs it has something better."""

from __future__ import annotations

from _thread import allocate_lock
from collections.abc import Callable
from typing import Protocol


class Wakeup(Protocol):
    """One wait of one request."""

    def set(self) -> None:
        """Wake the one who waits, or will wait; from any thread, and once."""

    def wait(self, seconds: float) -> bool:
        """Wait until `set`, at most so long; whether it was."""


class ThreadWakeup:
    """A thread's wait, on a lock."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._lock.acquire()

    def set(self) -> None:
        """Wake the thread."""
        self._lock.release()

    def wait(self, seconds: float) -> bool:
        """Wait until `set`, at most so long; whether it was."""
        return self._lock.acquire(timeout=seconds)


_make: Callable[[], Wakeup] = ThreadWakeup


def use(make: Callable[[], Wakeup]) -> None:
    """Have requests of this process wait by what `make` gives to each."""
    global _make
    _make = make


def new_wakeup() -> Wakeup:
    """A wake-up for a request of the calling thread or greenlet."""
    return _make()
