"""Admission control: how many requests a gateway process holds, and may; one more is told so at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from inference.errors import BUSY_MESSAGE, BusyError
from workers.broker.queues import QUEUE_BATCHES_MAX

if TYPE_CHECKING:
    from inference.dispatch.waiting import Waiting


class Admission:
    """That of one gateway process. For the loop's thread."""

    def __init__(self, most: int) -> None:
        self._most = most
        #: How many may be held: what this process is told, or its share of what the broker's queue takes.
        self.most = most
        self.share(1)
        #: In the order in which they came; each client says how long it waits, so their deadlines are in no order.
        self._held: dict[Waiting, None] = {}

    @property
    def held(self) -> int:
        """How many requests wait for their answer now."""
        return len(self._held)

    def share(self, gateways: int) -> None:
        """So many gateway processes share the broker's queue.

        A batch has one request at least, so all gateways together never fill it.
        """
        self.most = min(self._most, max(1, QUEUE_BATCHES_MAX // gateways))

    @property
    def full(self) -> bool:
        """Whether one more is refused."""
        return len(self._held) >= self.most

    def admit(self, request: Waiting) -> None:
        """Hold one request more.

        Raises:
            BusyError: as many are held as may be.
        """
        if len(self._held) >= self.most:
            raise BusyError(BUSY_MESSAGE)
        self._held[request] = None

    def release(self, request: Waiting) -> None:
        """Hold it no longer."""
        del self._held[request]

    def late(self, now: float) -> Iterator[Waiting]:
        """Those whose time is over."""
        for request in list(self._held):
            if request.deadline <= now:
                yield request
