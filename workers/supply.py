"""A worker asks the gateways for what it lacks: files by their digest, and which versions are active.

Everything goes over the broker, in chunks, so that a worker host needs one address only. The gateway's side is
`inference.versions.supply`.
"""

from __future__ import annotations

import hashlib
import logging
import threading
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

from workers.broker.connection import abandon, connect
from workers.broker.queues import TRANSIENT
from workers.messages.message import ProtocolError
from workers.messages.protocol import SUPPLY_QUEUE, TicketAnswer, TicketQuestion
from workers.messages.refusals import SignatureError, refusals
from workers.messages.supplied import CHUNK_BYTES, ActiveVersions, FileChunk, FileRequest
from workers.runtime.errors import KeyMismatchError, SupplyError

logger = logging.getLogger(__name__)

#: Seconds after which a request that nobody answered is sent again: the gateway may have been restarting.
ASK_AGAIN_SECONDS = 3.0
#: Connections that wait for the next question; more are opened when more are asked at once.
MAX_IDLE = 1


class Supply:
    """Asks, waits and checks; every call has a deadline, and a connection that nobody else uses meanwhile."""

    def __init__(self, app: Celery, timeout_seconds: float) -> None:
        self._app = app
        self._timeout_seconds = timeout_seconds
        self._lock = threading.Lock()
        self._idle: list[_Conversation] = []

    def fetch_file(self, digest: str, target: Path) -> None:
        """Write the file that `digest` names to `target`.

        Raises:
            SupplyError: no gateway has it, none answered in time, or the bytes do not have this digest.
        """
        started, checksum, written, size = monotonic(), hashlib.sha256(), 0, None
        with self._questions(self._timeout_seconds) as questions, target.open("wb") as file:
            while size is None or written < size:
                chunk = questions.ask_for_chunk(FileRequest(digest, written))
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
        with self._questions(timeout_seconds) as questions:
            return questions.ask_for_active_versions()

    def is_awaited(self, reply_queue: str, ticket: str) -> bool:
        """Whether the gateway process that owns `reply_queue` waits for answers with this ticket now.

        Raises:
            SupplyError: no such process answered in time.
        """
        with self._questions(ASK_AGAIN_SECONDS) as questions:
            return questions.ask_for_ticket(reply_queue, TicketQuestion(ticket)).awaited

    def renew(self) -> None:
        """Have later calls open new connections: the idle ones may lead nowhere without anybody knowing."""
        with self._lock:
            idle, self._idle = self._idle, []
        for conversation in idle:
            abandon(conversation.connection)

    @contextmanager
    def _questions(self, timeout_seconds: float) -> Iterator[_Questions]:
        with self._lock:
            idle = self._idle.pop() if self._idle else None
        questions = _Questions(self._app, monotonic() + timeout_seconds, idle)
        try:
            yield questions
        except ProtocolError as error:
            raise SupplyError(f"a gateway's answer cannot be read: {error}") from error
        finally:
            self._keep(questions.conversation)

    def _keep(self, conversation: _Conversation | None) -> None:
        with self._lock:
            kept = len(self._idle) < MAX_IDLE
            if kept and conversation is not None:
                self._idle.append(conversation)
        if not kept and conversation is not None:
            conversation.close()


class _Questions:
    """Questions with one deadline, asked in an idle conversation if that leads somewhere, else in another."""

    def __init__(self, app: Celery, deadline: float, idle: _Conversation | None) -> None:
        self._app = app
        self._deadline = deadline
        self._proven = idle is None
        self.conversation = idle

    def ask_for_chunk(self, request: FileRequest) -> FileChunk:
        """One chunk of a file.

        Raises:
            SupplyError: no gateway answered in time, or the broker went away.
            ProtocolError: the answer cannot be read.
        """
        answer = self._ask(request.to_json(), SUPPLY_QUEUE)
        return FileChunk.from_message(answer.content_type, answer.headers, answer.body)

    def ask_for_active_versions(self) -> ActiveVersions:
        """What is active; raises as `ask_for_chunk` does."""
        return ActiveVersions.from_json(_read(self._ask({}, SUPPLY_QUEUE)))

    def ask_for_ticket(self, reply_queue: str, question: TicketQuestion) -> TicketAnswer:
        """Whether a gateway process waits for a ticket; raises as `ask_for_chunk` does."""
        return TicketAnswer.from_json(_read(self._ask(question.to_json(), reply_queue)))

    def _ask(self, question: dict[str, Any], queue: str) -> BrokerMessage:
        while monotonic() < self._deadline:
            answer = self._ask_once(question, queue, min(self._deadline, monotonic() + ASK_AGAIN_SECONDS))
            if answer is not None:
                self._proven = True
                return answer
            if not self._proven:
                self._drop()
            logger.info("No gateway answers on the queue %s yet.", queue)
        raise SupplyError("no gateway answered in time")

    def _ask_once(self, question: dict[str, Any], queue: str, until: float) -> BrokerMessage | None:
        connection = self._app.connection_for_write() if self.conversation is None else self.conversation.connection
        try:
            if self.conversation is None:
                connect(connection)
                self.conversation = _Conversation(connection)
            return self.conversation.ask(question, queue, until)
        except connection.connection_errors + connection.channel_errors as error:
            idle_for_long = not self._proven
            abandon(connection)
            self.conversation, self._proven = None, True
            if idle_for_long:
                return self._ask_once(question, queue, until)
            raise SupplyError(f"the broker went away while a gateway was asked: {error}") from error

    def _drop(self) -> None:
        """Close the conversation; the next question opens another."""
        conversation, self.conversation, self._proven = self.conversation, None, True
        if conversation is not None:
            conversation.close()


def _read(answer: BrokerMessage) -> Any:
    try:
        return answer.decode()
    except (ContentDisallowed, DecodeError) as error:
        raise ProtocolError(f"an answer is no JSON: {error}") from error


class _Conversation:
    """Questions to a gateway, one at a time, and their answers on a queue of its own connection."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        channel: Any = connection.channel()
        self._queue = Queue(f"supply.{uuid4().hex}", exclusive=True, auto_delete=True, durable=False)
        self._bound = self._queue(channel)
        self._bound.queue_declare()
        self._producer = Producer(channel, serializer="json", auto_declare=False)
        self._consumer = Consumer(
            channel,
            [self._bound],
            on_message=self._receive,
            on_decode_error=self._refuse,
            no_ack=True,
            auto_declare=False,
            accept=["json"],
        )
        self._consumer.consume()
        self._ticket = ""
        self._answer: BrokerMessage | None = None
        self._mismatch: SignatureError | None = None

    def ask(self, question: dict[str, Any], queue: str, until: float) -> BrokerMessage | None:
        """The answer to a question to `queue`, when one comes in time.

        Raises:
            KeyMismatchError: one came that is not signed as this process signs.
        """
        self._ticket, self._answer, self._mismatch = uuid4().hex, None, None
        self._producer.publish(
            question,
            exchange="",
            routing_key=queue,
            correlation_id=self._ticket,
            reply_to=self._queue.name,
            expiration=ASK_AGAIN_SECONDS,
            delivery_mode=TRANSIENT,
        )
        while self._answer is None:
            if self._mismatch is not None:
                raise KeyMismatchError(f"a gateway's answer is refused: {self._mismatch}")
            remaining = until - monotonic()
            if remaining <= 0:
                return None
            try:
                self.connection.drain_events(timeout=remaining)
            except TimeoutError:
                continue
        # Not kept for as long as the conversation is idle: it may be large.
        answer, self._answer = self._answer, None
        return answer

    def close(self) -> None:
        """Close the connection, and with it the queue."""
        try:
            self._consumer.cancel()
            self._bound.delete()
        except self.connection.connection_errors + self.connection.channel_errors:
            pass  # the broker has gone, and taken the queue along
        self.connection.release()

    def _receive(self, message: BrokerMessage) -> None:
        # A question that was asked twice may be answered twice: the second answer comes too late.
        if message.properties.get("correlation_id") == self._ticket:
            self._answer = message

    def _refuse(self, message: BrokerMessage, error: Exception) -> None:
        if not message.errors:  # else it was counted where it came in
            refusals.add(error, message.delivery_info)
        if message.properties.get("correlation_id") == self._ticket and isinstance(error, SignatureError):
            self._mismatch = error
