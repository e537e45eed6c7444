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
from kombu.exceptions import ContentDisallowed, DecodeError
from kombu.message import Message as BrokerMessage

from workers.celery import TRANSIENT
from workers.protocol import CHUNK_BYTES, SUPPLY_QUEUE, ActiveVersions, FileChunk, FileRequest, ProtocolError
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
        started, checksum, written, size = monotonic(), hashlib.sha256(), 0, None
        with self._conversation(self._timeout_seconds) as conversation, target.open("wb") as file:
            while size is None or written < size:
                chunk = conversation.ask_for_chunk(FileRequest(digest, written))
                size = chunk.size if size is None else size
                if chunk.size < 0 or (not chunk.content and written < size):
                    raise SupplyError(f"no gateway has the file {digest}")
                if chunk.size != size or len(chunk.content) != min(CHUNK_BYTES, size - written):
                    raise SupplyError(f"the chunks that came for the file {digest} do not fit together")
                file.write(chunk.content)
                checksum.update(chunk.content)
                written += len(chunk.content)
        if checksum.hexdigest() != digest:
            raise SupplyError(f"what came for the file {digest} has the digest {checksum.hexdigest()}")
        logger.info("Fetched %s: %d bytes in %.3f s.", digest, written, monotonic() - started)

    def active_versions(self, timeout_seconds: float) -> ActiveVersions:
        """The versions that are active now, the default network's first.

        Raises:
            SupplyError: no gateway answered in time.
        """
        with self._conversation(timeout_seconds) as conversation:
            return conversation.ask_for_active_versions()

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
        self._ticket = ""
        self._answer: BrokerMessage | None = None

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

    def ask_for_chunk(self, request: FileRequest) -> FileChunk:
        """One chunk of a file.

        Raises:
            SupplyError: no gateway answered in time.
            ProtocolError: the answer cannot be read.
        """
        answer = self._ask(request.to_json())
        return FileChunk.from_message(answer.content_type, answer.headers, answer.body)

    def ask_for_active_versions(self) -> ActiveVersions:
        """What is active; raises as `ask_for_chunk` does."""
        answer = self._ask({})
        try:
            return ActiveVersions.from_json(answer.decode())
        except (ContentDisallowed, DecodeError) as error:
            raise ProtocolError(f"ActiveVersions: {error}") from error

    def _receive(self, message: BrokerMessage) -> None:
        # A question that was asked twice may be answered twice: the second answer comes too late.
        if message.properties.get("correlation_id") == self._ticket:
            self._answer = message

    def _ask(self, question: dict[str, Any]) -> BrokerMessage:
        self._ticket, self._answer = uuid4().hex, None
        while monotonic() < self._deadline:
            self._producer.publish(
                question,
                exchange="",
                routing_key=SUPPLY_QUEUE,
                correlation_id=self._ticket,
                reply_to=self._queue.name,
                expiration=ASK_AGAIN_SECONDS,
                delivery_mode=TRANSIENT,
            )
            answer = self._wait(min(self._deadline, monotonic() + ASK_AGAIN_SECONDS))
            if answer is not None:
                return answer
            logger.info("No gateway answers on the queue %s yet; asking again.", SUPPLY_QUEUE)
        raise SupplyError("no gateway answered in time")

    def _wait(self, until: float) -> BrokerMessage | None:
        while self._answer is None:
            remaining = until - monotonic()
            if remaining <= 0:
                return None
            try:
                self._connection.drain_events(timeout=remaining)
            except TimeoutError:
                continue
        return self._answer
