"""The in-process broker of the embedded form: kombu's memory transport that wakes on arrival instead of polling.

kombu's own polls once a second (or burns the processor), and cannot tell how many consumers a queue has. This
one does both, so gateway and worker speak to it exactly as they speak to RabbitMQ.
"""

from __future__ import annotations

import socket
import threading
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from queue import Empty, Queue
from time import monotonic
from typing import Any

from amqp.exceptions import MessageNacked
from amqp.protocol import queue_declare_ok_t
from kombu.transport import TRANSPORT_ALIASES, memory

#: A drain gives up after this long, whatever it was told: a Celery worker looks only in between whether to stop.
DRAIN_SECONDS_MAX = 0.25

_registry_lock = threading.Lock()
_consumers: defaultdict[str, list[Any]] = defaultdict(list)
_lengths_max: dict[str, int] = {}


class Channel(memory.Channel):
    """A channel that wakes the connections that consume from a queue when something arrives there."""

    connection: Any  # the Transport below
    #: Messages stay in the process, so bodies stay as they are; kombu's own turns each into base64 and back.
    body_encoding: str | None = None  # type: ignore[assignment]  # kombu reads None as no encoding

    def _new_queue(self, queue: str, arguments: dict[str, Any] | None = None, **_: Any) -> None:
        with _registry_lock:
            self.queues.setdefault(queue, Queue())
            if arguments and "x-max-length" in arguments:
                _lengths_max[queue] = arguments["x-max-length"]

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        try:
            return self.queues[queue].get(block=False)
        except KeyError:
            raise Empty from None

    def _size(self, queue: str) -> int:
        waiting = self.queues.get(queue)
        return waiting.qsize() if waiting is not None else 0

    def _put(self, queue: str, message: Any, **_: Any) -> None:
        waiting = self.queues.get(queue)
        if waiting is None:
            return  # as RabbitMQ does: what is sent to a queue that does not exist is dropped
        length_max = _lengths_max.get(queue)
        if length_max is not None and waiting.qsize() >= length_max and not message.get("redelivered"):
            raise MessageNacked  # as RabbitMQ says with reject-publish, where confirms are asked for
        waiting.put(message)
        for transport in tuple(_consumers.get(queue, ())):
            transport.wake()

    def _put_fanout(self, exchange: str, message: Any, routing_key: str | None = None, **_: Any) -> None:
        for queue in self._lookup(exchange, routing_key or ""):
            self._put(queue, message)

    def queue_declare(self, queue: str | None = None, passive: bool = False, **options: Any) -> Any:
        """Declare a queue; the answer counts its consumers as well."""
        name, messages, _ = super().queue_declare(queue, passive=passive, **options)
        return queue_declare_ok_t(name, messages, len(_consumers.get(name, ())))

    def basic_consume(
        self, queue: str, no_ack: bool, callback: Callable[..., Any] | None, consumer_tag: str | None, **options: Any
    ) -> str:
        """Consume from `queue` and be woken when something arrives there."""
        tag = super().basic_consume(queue, no_ack, callback, consumer_tag, **options)
        with _registry_lock:
            _consumers[queue].append(self.connection)
        self.connection.wake()
        return tag

    def basic_cancel(self, consumer_tag: str) -> None:
        """Stop consuming."""
        queue = self._tag_to_queue.get(consumer_tag, "")
        super().basic_cancel(consumer_tag)
        with _registry_lock:
            if self.connection in _consumers.get(queue, ()):
                _consumers[queue].remove(self.connection)

    def basic_qos(self, prefetch_size: int = 0, prefetch_count: int = 0, apply_global: bool = False) -> None:
        """Change how many messages may be unacknowledged, on the whole channel, from any thread; it counts at once."""
        super().basic_qos(prefetch_size, prefetch_count, apply_global)
        if self.connection is not None:
            self.connection.wake()

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        """Acknowledge; the consumer may take the next message."""
        super().basic_ack(delivery_tag, multiple)
        if self.connection is not None:
            self.connection.wake()

    def basic_reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Reject; the consumer may take the next message."""
        super().basic_reject(delivery_tag, requeue)
        if self.connection is not None:
            self.connection.wake()


class Transport(memory.Transport):
    """A connection to the in-process broker."""

    Channel = Channel
    global_state = memory.Transport.global_state

    def __init__(self, client: Any, **options: Any) -> None:
        super().__init__(client, **options)
        self._wakeup = threading.Condition()
        self._wakeups = 0

    def _woken_since(self, seen: int) -> bool:
        return self._wakeups != seen

    def wake(self) -> None:
        """Let `drain_events` look again."""
        with self._wakeup:
            self._wakeups += 1
            self._wakeup.notify_all()

    def drain_events(self, connection: Any, timeout: float | None = None, **_: Any) -> None:
        """Deliver one message.

        Raises:
            TimeoutError: none arrived within `timeout` seconds, or a quarter of a second when that is less.
        """
        deadline = monotonic() + min(DRAIN_SECONDS_MAX, DRAIN_SECONDS_MAX if timeout is None else timeout)
        while True:
            seen = self._wakeups
            try:
                self.cycle.get(self._deliver)  # type: ignore[union-attr]  # set by the constructor
            except Empty:
                remaining = deadline - monotonic()
                if remaining <= 0:
                    raise socket.timeout from None  # noqa: UP041 - the name that kombu's users catch
                with self._wakeup:
                    self._wakeup.wait_for(partial(self._woken_since, seen), remaining)
            else:
                return


def install() -> None:
    """Make `memory://` mean this transport in this process."""
    TRANSPORT_ALIASES["memory"] = "workers.broker.embedded_transport:Transport"
