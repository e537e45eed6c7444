"""The connection that a worker answers on: results of batches, reports, what it shows.

It only publishes: py-amqp reads what has arrived before each publish, so a connection that also consumed would be slow.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

import orjson
from amqp.exceptions import IrrecoverableChannelError
from celery import Celery
from kombu import Connection, Producer
from kombu.exceptions import OperationalError
from kombu.utils.json import dumps

from workers.broker.connection import abandon, connect
from workers.broker.queues import TRANSIENT
from workers.messages.packing import CONTENT_ENCODING, CONTENT_TYPE, pack

logger = logging.getLogger(__name__)

#: How long a message is tried to be sent while the broker is away; then another worker has its batch already.
SEND_SECONDS = 20.0
PAUSE_SECONDS = 0.5


class Sender:
    """One connection, opened when first needed and again after an error; threads take turns.

    With `confirmed`, what was sent is the broker's when the call returns, which takes a round trip each.
    """

    def __init__(self, app: Celery, confirmed: bool = False) -> None:
        self._app = app
        self._confirmed = confirmed
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._producer: Producer | None = None
        self._stale = False
        self._closed = threading.Event()

    def send(
        self, body: dict[str, Any], queue: str, correlation_id: str, headers: dict[str, str] | None = None
    ) -> None:
        """Send a message to a queue; one that has gone meanwhile does not get it.

        Raises:
            kombu.exceptions.OperationalError: the broker was away for too long.
        """
        self._send(_written(body), queue, correlation_id, headers, "application/json", "utf-8")

    def send_packed(self, body: dict[str, Any], queue: str, correlation_id: str) -> None:
        """The same for what has bytes in it."""
        self._send(pack(body), queue, correlation_id, None, CONTENT_TYPE, CONTENT_ENCODING)

    def _send(
        self,
        content: str | bytes,
        queue: str,
        correlation_id: str,
        headers: dict[str, str] | None,
        content_type: str,
        encoding: str,
    ) -> None:
        self.act(
            lambda producer: producer.publish(
                content,
                exchange="",
                routing_key=queue,
                correlation_id=correlation_id,
                headers=headers,
                delivery_mode=TRANSIENT,
                content_type=content_type,
                content_encoding=encoding,
            )
        )

    def act(self, publish: Callable[[Producer], Any]) -> None:
        """Have `publish` send something; it is called again while the broker is away.

        Raises:
            kombu.exceptions.OperationalError: the broker was away for too long, or (confirmed) forbids it.
            amqp.exceptions.MessageNacked: (confirmed) the queue is full.
        """
        deadline = monotonic() + SEND_SECONDS
        while True:
            try:
                return self._act(publish)
            except OperationalError as error:
                # Without confirms, it may be an earlier message that the broker complains of.
                forbidden = self._confirmed and isinstance(error.__cause__, IrrecoverableChannelError)
                if forbidden or monotonic() > deadline or self._closed.is_set():
                    raise
                logger.warning("The broker takes no answer (%s); trying again in %g s.", error, PAUSE_SECONDS)
            self._closed.wait(PAUSE_SECONDS)

    def renew(self) -> None:
        """Have the next message open a new connection: the old one may lead nowhere without anybody knowing."""
        self._stale = True

    def close(self) -> None:
        """Close the connection, for good."""
        self._closed.set()
        with self._lock:
            if self._connection is not None:
                self._connection.release()
            self._connection = self._producer = None

    def _act(self, publish: Callable[[Producer], Any]) -> None:
        with self._lock:
            if self._closed.is_set():
                raise OperationalError("this process ends")
            if self._stale:
                self._stale = False
                self._drop()
            connection = self._connection or self._app.connection_for_write()
            try:
                if self._producer is None:
                    if self._confirmed:
                        connection.transport_options = {**(connection.transport_options or {}), "confirm_publish": True}
                    connect(connection)
                    self._producer = Producer(connection.channel(), serializer="json", auto_declare=False)
                    self._connection = connection
                publish(self._producer)
            except _errors(connection) as error:
                abandon(connection)
                self._connection = self._producer = None
                raise OperationalError(str(error)) from error

    def _drop(self) -> None:
        if self._connection is not None:
            abandon(self._connection)
        self._connection = self._producer = None


def _written(body: dict[str, Any]) -> str | bytes:
    """As JSON; by kombu where an error's arguments are what it alone can write."""
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError:
        return dumps(body)


def _errors(connection: Connection) -> tuple[type[BaseException], ...]:
    return (OSError, *connection.connection_errors, *connection.channel_errors)
