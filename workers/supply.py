"""A worker asks the gateways for what it lacks: files by their digest, and which versions are active.

Everything goes over the broker, in chunks, so that a worker host needs one address only. The gateway's side is
`inference.supply`.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

from celery import Celery
from kombu import Connection, Consumer, Producer, Queue
from kombu.message import Message as BrokerMessage

from workers.celery import TRANSIENT
from workers.protocol import SUPPLY_QUEUE, ActiveVersions, FileChunk, FileRequest, ProtocolError
from workers.runtime.errors import SupplyError

logger = logging.getLogger(__name__)

#: Seconds after which a request that nobody answered is sent again: the gateway may have been restarting.
ASK_AGAIN_SECONDS = 3.0


class Supply:
    """Asks, waits and checks; every call has a deadline and a connection of its own."""

    def __init__(self, app: Celery, timeout_seconds: float) -> None:
        self._app = app
        self._timeout_seconds = timeout_seconds

    def fetch_file(self, digest: str, target: Path) -> None:
        """Write the file that `digest` names to `target`.

        Raises:
            SupplyError: no gateway has it, none answered in time, or the bytes do not have this digest.
        """
        checksum, written, size = hashlib.sha256(), 0, None
        with self._conversation(self._timeout_seconds) as conversation, target.open("wb") as file:
            while size is None or written < size:
                chunk = FileChunk.from_json(conversation.ask(FileRequest(digest, written).to_json()))
                content = chunk.content()
                if chunk.size < 0 or (not content and written < chunk.size):
                    raise SupplyError(f"no gateway has the file {digest}")
                file.write(content)
                checksum.update(content)
                written, size = written + len(content), chunk.size
        if checksum.hexdigest() != digest:
            raise SupplyError(f"what came for the file {digest} has the digest {checksum.hexdigest()}")

    def active_versions(self, timeout_seconds: float) -> ActiveVersions:
        """The versions that are active now, the default network's first.

        Raises:
            SupplyError: no gateway answered in time.
        """
        with self._conversation(timeout_seconds) as conversation:
            return ActiveVersions.from_json(conversation.ask({}))

    @contextmanager
    def _conversation(self, timeout_seconds: float) -> Iterator[_Conversation]:
        deadline = monotonic() + timeout_seconds
        with self._app.connection_for_write() as connection:
            try:
                with _Conversation(connection, deadline) as conversation:
                    yield conversation
            except connection.connection_errors + connection.channel_errors as error:
                raise SupplyError(f"the broker went away while a gateway was asked: {error}") from error
            except ProtocolError as error:
                raise SupplyError(f"a gateway's answer cannot be read: {error}") from error


class _Conversation:
    """Questions to the queue `supply`, one at a time, and their answers on a queue of its own."""

    def __init__(self, connection: Connection, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline
        self._channel: Any = connection.channel()
        self._queue = Queue(f"supply.{uuid4().hex}", exclusive=True, auto_delete=True, durable=False)
        self._producer = Producer(self._channel, serializer="json", auto_declare=False)
        self._answers: dict[str, Any] = {}

    def __enter__(self) -> _Conversation:
        queue = self._queue(self._channel)
        queue.queue_declare()
        self._consumer = Consumer(
            self._channel, [queue], on_message=self._receive, no_ack=True, auto_declare=False, accept=["json"]
        )
        self._consumer.consume()
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.cancel()
        self._queue(self._channel).delete()
        self._channel.close()

    def _receive(self, message: BrokerMessage) -> None:
        self._answers[str(message.properties.get("correlation_id"))] = message.decode()

    def ask(self, question: dict[str, Any]) -> Any:
        """The answer to `question`.

        Raises:
            SupplyError: no gateway answered in time.
        """
        ticket = uuid4().hex
        while monotonic() < self._deadline:
            self._producer.publish(
                question,
                exchange="",
                routing_key=SUPPLY_QUEUE,
                correlation_id=ticket,
                reply_to=self._queue.name,
                expiration=ASK_AGAIN_SECONDS,
                delivery_mode=TRANSIENT,
            )
            if self._wait(ticket, min(self._deadline, monotonic() + ASK_AGAIN_SECONDS)):
                return self._answers.pop(ticket)
            logger.info("No gateway answers on the queue %s yet; asking again.", SUPPLY_QUEUE)
        raise SupplyError("no gateway answered in time")

    def _wait(self, ticket: str, until: float) -> bool:
        while ticket not in self._answers:
            remaining = until - monotonic()
            if remaining <= 0:
                return False
            try:
                self._connection.drain_events(timeout=remaining)
            except TimeoutError:
                continue
        return True
