"""Admission control: how many requests a gateway process holds, and may; one more is told so at once."""

from __future__ import annotations

import threading
from collections.abc import Callable

from inference.errors import BUSY_MESSAGE, BusyError
from workers.broker.queues import QUEUE_BATCHES_MAX


class Admission:
    """That of one gateway process; `gateways` tells how many share the broker's queue now."""

    def __init__(self, most: int, gateways: Callable[[], int]) -> None:
        self._most = most
        self._gateways = gateways
        self._lock = threading.Lock()
        #: Requests that wait for their answer now.
        self.held = 0

    @property
    def most(self) -> int:
        """How many may be held: what this process is told, or its share of what the broker's queue takes.

        A batch has one request at least, so all gateways together never fill that queue.
        """
        return min(self._most, max(1, QUEUE_BATCHES_MAX // self._gateways()))

    @property
    def full(self) -> bool:
        """Whether one more is refused."""
        return self.held >= self.most

    def admit(self) -> None:
        """Hold one request more.

        Raises:
            BusyError: as many are held as may be.
        """
        with self._lock:
            if self.full:
                raise BusyError(BUSY_MESSAGE)
            self.held += 1

    def release(self) -> None:
        """Hold it no longer. From any thread, once for each that was admitted."""
        with self._lock:
            self.held -= 1
