"""How many batches this worker takes at a time: as many as it computes, beside those that wait for a network.

The broker gives a worker no more batches than its prefetch says until it acknowledges some. A batch that waits for its
network to be loaded acknowledges nothing for long, so while it waits, the worker asks for as many again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery.bootsteps import RUN  # type: ignore[attr-defined]  # missing in the stubs
from celery.worker.state import reserved_requests
from kombu.common import QoS

from workers.consuming.pool import BATCHES_MAX

#: With as many batches at hand as there is room for, how often the prefetch looks whether there is room again.
LOOK_AGAIN_SECONDS = 0.1


class Prefetch:
    """This worker's share of the queue `predict`."""

    def __init__(self) -> None:
        #: Held by a batch while it computes; as many as the pool's limit, once the worker has connected.
        self.slots = threading.BoundedSemaphore(1)
        self._lock = threading.Lock()
        self._waiting = 0
        #: Batches at hand that Celery does not count: they rest, or are sent on.
        self._held = 0
        self._asked = False
        self._consumer: Any = None
        self._channel: Any = None

    def follow(self, consumer: Any) -> None:
        """Take batches by this Celery consumer, which has just connected and consumes nothing yet.

        RabbitMQ is to count for each consumer on the channel, not for the whole channel, what is not acknowledged:
        Celery has it so from RabbitMQ 4.0 on, and 4.3 knows nothing else.
        """
        channel = consumer.connection.default_channel
        if consumer.qos_global:
            channel.basic_qos(0, 0, True)
        consumer.qos_global = False

        def set_prefetch(prefetch_count: int) -> None:
            channel.basic_qos(0, prefetch_count, False)

        consumer.qos = QoS(set_prefetch, consumer.initial_prefetch_count)
        consumer.qos.update()
        with self._lock:
            if self._consumer is None:
                self.slots = threading.BoundedSemaphore(consumer.pool.limit)
            self._consumer, self._channel, self._asked = consumer, channel, False

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """While a batch waits for its network, in its thread of the pool, the worker takes others."""
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    def hold(self, change: int) -> None:
        """This worker has so many batches more, or less, beside those that Celery has taken."""
        with self._lock:
            self._held += change

    def _count(self, change: int) -> None:
        with self._lock:
            self._waiting += change
            consumer, channel = self._consumer, self._channel
            if consumer is None:
                return
            if consumer.hub is None:
                # The in-process broker counts for the channel, and is told from any thread.
                channel.basic_qos(0, consumer.initial_prefetch_count + min(self._waiting, BATCHES_MAX), False)
            elif change > 0 and not self._asked:
                self._asked = True
                consumer.hub.call_soon(self._take_more, channel)

    def _take_more(self, channel: Any) -> None:
        """In Celery's main thread: start to consume afresh, unless nobody waits any more, or the room is full."""
        consumer = self._consumer
        if channel is not self._channel or consumer.blueprint.state != RUN or not channel.is_open:
            return
        if self._waiting and len(reserved_requests) + self._held >= BATCHES_MAX:
            consumer.hub.call_later(LOOK_AGAIN_SECONDS, self._take_more, channel)
            return
        with self._lock:
            self._asked = False
        if self._waiting:
            _consume_afresh(consumer, channel)


def _consume_afresh(consumer: Any, channel: Any) -> None:
    """Let a new consumer, to which as many batches may come again, take the place of the one whose batches wait.

    What the old one was given stays this worker's until it is acknowledged. The new one starts before the old one
    ends, so a gateway that counts workers meanwhile counts one too many, never one too few, and counts again.
    """
    old = consumer.task_consumer
    fresh = consumer.app.amqp.TaskConsumer(channel, on_decode_error=consumer.on_decode_error, auto_declare=False)
    fresh.on_message = old.on_message
    fresh.consume()
    consumer.task_consumer = fresh
    old.cancel()
