"""What a worker remembers of the requests it handled: a count, and the times of the last hundred."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

REMEMBERED_REQUESTS = 100


@dataclass(frozen=True)
class Averages:
    """Means over the last hundred requests, in milliseconds; 0 before the first."""

    handling_ms: float
    inference_ms: float
    requests_handled: int


class RequestStats:
    """Counts requests and averages the last hundred; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._recent: deque[tuple[float, float]] = deque(maxlen=REMEMBERED_REQUESTS)
        self._handled = 0

    def add(self, requests: int, handling_ms: float, inference_ms: float) -> None:
        """Note a batch: each of its requests took as long as the whole batch."""
        with self._lock:
            self._handled += requests
            self._recent.extend([(handling_ms, inference_ms)] * min(requests, REMEMBERED_REQUESTS))

    def averages(self) -> Averages:
        """The means as they are now."""
        with self._lock:
            recent, handled = list(self._recent), self._handled
        count = len(recent) or 1
        return Averages(sum(r[0] for r in recent) / count, sum(r[1] for r in recent) / count, handled)
