"""How many requests a gateway process holds, and may: who finds no place is told so at once."""

from __future__ import annotations

import threading
from collections.abc import Callable

from inference.errors import BUSY_MESSAGE, BusyError
from workers.celery import QUEUE_BATCHES_MAX


class Places:
    """The places of one gateway process; `gateways` tells how many share the broker's queue now."""

    def __init__(self, most: int, gateways: Callable[[], int]) -> None:
        self._most = most
        self._gateways = gateways
        self._lock = threading.Lock()
        #: Requests that wait for their answer now.
        self.taken = 0

    @property
    def most(self) -> int:
        """How many there are: what this process is told, or its share of what the broker's queue takes.

        A batch has one request at least, so all gateways together never fill that queue.
        """
        return min(self._most, max(1, QUEUE_BATCHES_MAX // self._gateways()))

    @property
    def full(self) -> bool:
        """Whether none is free."""
        return self.taken >= self.most

    def take(self) -> None:
        """Take one.

        Raises:
            BusyError: none is free.
        """
        with self._lock:
            if self.full:
                raise BusyError(BUSY_MESSAGE)
            self.taken += 1

    def give_back(self) -> None:
        """It is free again. From any thread, once for each that was taken."""
        with self._lock:
            self.taken -= 1
