"""A value that many ask for, every few seconds each: one of them makes it again, the others get the last one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")

#: What takes long to make is kept for so many times as long: whoever looks, it takes a tenth of the time at most.
TIMES_ITS_COST = 10.0


@dataclass(frozen=True, slots=True)
class _Held(Generic[T]):
    value: T
    made_at: float
    cost_seconds: float


class Cached(Generic[T]):
    """Keeps a value for `fresh_seconds`, or longer when it is costly."""

    #: Tests switch it off, to see what is there now.
    enabled = True

    def __init__(self, make: Callable[[], T], fresh_seconds: float, clock: Callable[[], float] = monotonic) -> None:
        self._make = make
        self._fresh_seconds = fresh_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._held: _Held[T] | None = None

    def value(self) -> T:
        """The value. While somebody makes it again, the one before; there is none only the first time.

        Raises:
            Exception: whatever making it raised.
        """
        held = self._held
        if held is not None and (self._is_fresh(held) or not self._lock.acquire(blocking=False)):
            return held.value
        if held is None:
            self._lock.acquire()
        try:
            held = self._held
            if held is None or not self._is_fresh(held):
                started = self._clock()
                value = self._make()
                held = self._held = _Held(value, self._clock(), self._clock() - started)
            return held.value
        finally:
            self._lock.release()

    def _is_fresh(self, held: _Held[T]) -> bool:
        kept_for = max(self._fresh_seconds, TIMES_ITS_COST * held.cost_seconds)
        return self.enabled and self._clock() - held.made_at < kept_for
