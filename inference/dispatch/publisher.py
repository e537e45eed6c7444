"""The gateway's connection that only publishes: batches as Celery tasks, commands to workers, questions to gateways.

The broker confirms each batch, or refuses it when the queue is full; nobody waits for that (`confirms`).
py-amqp reads what has arrived before each publish, so a connection that also consumed would be slow here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from amqp.exceptions import MessageNacked
from kombu import Connection, Producer, Queue

from inference.dispatch.confirms import Confirms
from inference.dispatch.task_events import tell_sent
from inference.errors import BrokerUnavailableError
from workers.broker.connection import CONNECT_SECONDS, abandon, connect
from workers.broker.queues import GATEWAYS, PREDICT, TRANSIENT
from workers.celery import app
from workers.messages.message import Message
from workers.messages.news import NEWS_HEADER
from workers.messages.packing import CONTENT_ENCODING, CONTENT_TYPE, pack
from workers.messages.protocol import PREDICT_QUEUE, PREDICT_TASK, PredictBatch
from workers.settings import settings

T = TypeVar("T")

#: The part of Celery's message protocol (version 2) that is the same in every message.
TASK_HEADERS = {
    "lang": "py",
    "task": PREDICT_TASK,
    "parent_id": None,
    "group": None,
    "retries": 0,
    "eta": None,
    "expires": None,
    "timelimit": [None, None],
    "argsrepr": "",
    "kwargsrepr": "",
}
TASK_EMBED = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
#: What Celery's own broadcast adds to a control command: it is for every worker.
TO_ALL = {"destination": None, "pattern": None, "matcher": None}


class Publisher:
    """One connection, opened when first needed and again after an error; threads take turns."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stale = False
        self._connection: Connection | None = None
        self._producer: Producer | None = None
        self._batches: tuple[Producer, Confirms] | None = None
        self._refused: list[str] = []
        self._lost: list[str] = []

    def send_batch(self, batch_id: str, batch: PredictBatch, reply_to: str, seconds_left: float) -> None:
        """Send a batch to the queue `predict`, to be dropped by the broker when its time is over.

        Whether the broker takes it is told later, by `take_refused` and `take_lost`.

        Raises:
            BrokerUnavailableError: it could not be sent.
        """
        if settings().task_events:  # told first: were it told last and failed, the batch would be sent twice
            self._with_producer(lambda producer: tell_sent(producer, batch_id))
        body = pack([[batch.to_packed()], {}, TASK_EMBED])
        headers = {**TASK_HEADERS, "id": batch_id, "root_id": batch_id}

        def publish(_: Producer) -> None:
            producer, confirms = self._batches_producer()
            confirms.expect(batch_id)
            try:
                producer.publish(
                    body,
                    exchange="",
                    routing_key=PREDICT_QUEUE,
                    content_type=CONTENT_TYPE,
                    content_encoding=CONTENT_ENCODING,
                    headers=headers,
                    correlation_id=batch_id,
                    reply_to=reply_to,
                    expiration=max(seconds_left, 0.001),
                    delivery_mode=TRANSIENT,
                )
            except Exception:
                confirms.expect_not()  # whoever called knows
                raise

        try:
            self._with_producer(publish)
        except MessageNacked:
            self._refused.append(batch_id)

    @property
    def awaits_confirms(self) -> bool:
        """Whether the broker has not said of every batch whether it has taken it, or that has not been read."""
        return self._batches is not None and self._batches[1].awaits

    def read_confirms(self) -> None:
        """Read what the broker has said, without waiting for it.

        Raises:
            BrokerUnavailableError: it has gone.
        """

        def read(_: Producer) -> None:
            while self.awaits_confirms and self._connection is not None:
                try:
                    self._connection.drain_events(timeout=0)
                except TimeoutError:
                    return

        self._with_producer(read)

    def take_refused(self) -> list[str]:
        """The batches that the broker has refused since this was asked last."""
        if self._batches is not None:
            self._refused += self._batches[1].take_refused()
        refused, self._refused = self._refused, []
        return refused

    def take_lost(self) -> list[str]:
        """The batches since this was asked last of which nobody knows whether they reached the broker."""
        lost, self._lost = self._lost, []
        return lost

    def count_consumers(self, queue: Queue) -> int:
        """How many workers or gateways take messages from a queue now.

        Raises:
            BrokerUnavailableError: the broker cannot be asked.
        """
        # Declaring the queue as it is changes nothing, and tells how many consume from it.
        return self._with_producer(lambda producer: int(_declare(queue, producer.channel).consumer_count))

    def count_waiting(self, queue: Queue) -> int:
        """How many messages wait in a queue now.

        Raises:
            BrokerUnavailableError: the broker cannot be asked.
        """
        return self._with_producer(lambda producer: int(_declare(queue, producer.channel).message_count))

    def ask_gateways(self, reply_to: str, ticket: str, news: Message | None = None, kind: str = "") -> None:
        """Ask every gateway process how it is; or have it hear news first, so that its answer says that it has.

        Raises:
            BrokerUnavailableError: they cannot be asked.
        """
        self._with_producer(
            lambda producer: producer.publish(
                news.to_json() if news else {},
                headers={NEWS_HEADER: kind} if news else {},
                exchange=GATEWAYS.name,
                reply_to=reply_to,
                correlation_id=ticket,
                serializer="json",
                delivery_mode=TRANSIENT,
            )
        )

    def command_workers(self, command: str, arguments: dict[str, Any]) -> None:
        """Send a Celery control command to all workers.

        As `app.control.broadcast` does; but that takes its connection from a pool, where one may be dead for long.

        Raises:
            BrokerUnavailableError: they cannot be told.
        """
        exchange = app.control.mailbox.exchange  # type: ignore[attr-defined]  # the stubs lack it
        self._with_producer(
            lambda producer: producer.publish(
                {"method": command, "arguments": arguments, **TO_ALL},
                exchange=exchange.name,
                serializer="json",
                delivery_mode=TRANSIENT,
                declare=[exchange],
            )
        )

    def renew(self) -> None:
        """Have the next call open a new connection: the old one may lead nowhere without anybody knowing."""
        self._stale = True

    def close(self) -> None:
        """Close the connection; the next call opens a new one."""
        with self._lock:
            if self._connection is not None:
                self._connection.release()
            self._connection = self._producer = None

    def _with_producer(self, act: Callable[[Producer], T]) -> T:
        if not self._lock.acquire(timeout=CONNECT_SECONDS):
            raise BrokerUnavailableError("the broker does not answer")
        try:
            return self._act_on_live_connection(act)
        finally:
            self._lock.release()

    def _act_on_live_connection(self, act: Callable[[Producer], T]) -> T:
        if self._stale:
            self._stale = False
            self._drop()
        if self._producer is not None:
            try:
                return act(self._producer)
            except TimeoutError as error:
                self._drop()
                raise BrokerUnavailableError("the broker does not answer") from error
            except self._errors():
                self._drop()  # the broker closed it while it was idle, as is found out only now
        try:
            return act(self._open())
        except self._errors() as error:
            self._drop()
            raise BrokerUnavailableError(f"the broker cannot be reached: {error}") from error

    def _open(self) -> Producer:
        self._connection = app.connection_for_write()
        connect(self._connection)
        self._producer = Producer(self._connection.channel(), auto_declare=False)
        return self._producer

    def _batches_producer(self) -> tuple[Producer, Confirms]:
        """What batches are published by: a channel that confirms, and that nothing else is published on."""
        if self._batches is None:
            channel = self._connection.channel()  # type: ignore[union-attr]  # whoever acts on a producer has one
            PREDICT(channel).queue_declare()
            self._batches = Producer(channel, auto_declare=False), Confirms(channel)
        return self._batches

    def _errors(self) -> tuple[type[BaseException], ...]:
        errors = self._connection.connection_errors + self._connection.channel_errors if self._connection else ()
        return (OSError, *errors)

    def _drop(self) -> None:
        """Let go of a connection that is broken, or may be."""
        if self._connection is not None:
            abandon(self._connection)
        if self._batches is not None:
            self._lost += self._batches[1].missing
            self._refused += self._batches[1].take_refused()
        self._connection = self._producer = self._batches = None


def _declare(queue: Queue, channel: Any) -> Any:
    """Declare a queue; the answer has its `message_count` and `consumer_count`.

    One with arguments was declared when a gateway or worker connected, with these or, see `BoundedQueue`, others.
    """
    passive = bool(queue.queue_arguments)
    return channel.queue_declare(queue.name, passive=passive, durable=queue.durable, auto_delete=queue.auto_delete)
