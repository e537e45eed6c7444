"""How often each of many may do something: a token bucket for each, in the memory of one gateway process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

PERIODS = {"s": 1.0, "m": 60.0, "h": 3600.0}
#: Those that have asked last; one that is forgotten begins with a full bucket.
KEYS_MAX = 10_000


@dataclass(frozen=True)
class Rate:
    """So many in a period: as many at once, and then one as often as the period has room for."""

    count: int
    seconds: float

    @classmethod
    def parse(cls, text: str) -> Rate | None:
        """Read `1000/s`, `60/m` or `10/h`; None for an empty text, which is no limit.

        Raises:
            ValueError: it is none of these.
        """
        if not text:
            return None
        count, _, period = text.partition("/")
        if period not in PERIODS or not (count.isascii() and count.isdigit() and 0 < int(count) < 10**9):
            raise ValueError(f"{text!r} is no rate: write it like 1000/s, 60/m or 10/h")
        return cls(int(count), PERIODS[period])


class Buckets:
    """One bucket a key; the keys that have asked last are remembered."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic, keys_max: int = KEYS_MAX) -> None:
        self._most = float(rate.count)
        self._a_second = rate.count / rate.seconds
        self._clock = clock
        self._keys_max = keys_max
        self._lock = threading.Lock()
        #: What was in each key's bucket, and when; the key that asked last is the last one.
        self._buckets: dict[str, tuple[float, float]] = {}

    @property
    def keys_count(self) -> int:
        """How many keys are remembered."""
        return len(self._buckets)

    def take(self, key: str) -> float:
        """Take one out of a key's bucket; when it is empty, the seconds until there is one again, else 0."""
        now = self._clock()
        with self._lock:
            held, at = self._buckets.pop(key, (self._most, now))
            held = min(self._most, held + (now - at) * self._a_second)
            allowed = held >= 1.0
            self._buckets[key] = (held - 1.0 if allowed else held, now)
            if len(self._buckets) > self._keys_max:
                del self._buckets[next(iter(self._buckets))]
        return 0.0 if allowed else (1.0 - held) / self._a_second

    def give_back(self, key: str) -> None:
        """Undo the latest `take` of a key."""
        with self._lock:
            if key in self._buckets:
                held, at = self._buckets[key]
                self._buckets[key] = (min(self._most, held + 1.0), at)
