"""What happens in a worker, counted as it happens."""

from __future__ import annotations

import threading
from bisect import bisect_left

from workers.messages.measures import INFERENCE_BOUNDS, Counts
from workers.messages.refusals import refusals


class Measured:
    """Counts as they grow; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inference = [0] * (len(INFERENCE_BOUNDS) + 1)
        self._requests = self._rows = self._failed_batches = self._loads = self._failed_loads = self._evictions = 0
        self._apart = 0
        self._inference_seconds = self._load_seconds = 0.0

    def add_batch(self, requests: int, rows: int, inference_ms: float) -> None:
        """A batch was answered."""
        seconds = inference_ms / 1000
        with self._lock:
            self._requests += requests
            self._rows += rows
            self._inference[bisect_left(INFERENCE_BOUNDS, seconds)] += 1
            self._inference_seconds += seconds

    def add_apart(self, requests: int) -> None:
        """Requests were computed by themselves, since their rows belong together."""
        with self._lock:
            self._apart += requests

    def add_failed_batch(self) -> None:
        """A batch could not be answered."""
        with self._lock:
            self._failed_batches += 1

    def add_load(self, seconds: float) -> None:
        """A version was loaded."""
        with self._lock:
            self._loads += 1
            self._load_seconds += seconds

    def add_failed_load(self) -> None:
        """A version could not be loaded."""
        with self._lock:
            self._failed_loads += 1

    def add_eviction(self) -> None:
        """A version made room for another."""
        with self._lock:
            self._evictions += 1

    def counts(self) -> Counts:
        """The counts as they are now."""
        with self._lock:
            return Counts(
                self._requests,
                self._rows,
                self._failed_batches,
                list(self._inference),
                self._inference_seconds,
                self._loads,
                self._failed_loads,
                self._load_seconds,
                self._evictions,
                refusals.count,
                self._apart,
            )
