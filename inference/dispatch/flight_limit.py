"""How many batches of one kind a gateway process has on their way: two for each worker, shared by all gateways.

One is being computed while the next one is at hand. More would only make batches small: what waits here longer
travels in larger company, and a batch costs much the same whatever its size.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from time import monotonic

from kombu import Queue

from inference.errors import BrokerUnavailableError
from workers.broker.queues import PREDICT, SUPPLY

BATCHES_A_WORKER = 2
#: How often workers and gateways are counted again.
COUNT_SECONDS = 1.0


class FlightLimit:
    """Follows the size of the fleet; belongs to the sender's thread."""

    def __init__(self, count_consumers: Callable[[Queue], int]) -> None:
        self._count_consumers = count_consumers
        self._count_next = 0.0
        #: Batches of one kind that may be on their way.
        self.batches = 1
        #: Gateway processes that share the fleet.
        self.gateways = 1

    def follow(self) -> None:
        """Count workers and gateways when that was some time ago; while the broker is away, nothing changes."""
        now = monotonic()
        if now < self._count_next:
            return
        self._count_next = now + COUNT_SECONDS
        try:
            workers, gateways = self._count_consumers(PREDICT), self._count_consumers(SUPPLY)
        except BrokerUnavailableError:
            return
        self.gateways = max(1, gateways)
        self.batches = max(1, ceil(BATCHES_A_WORKER * workers / self.gateways))
