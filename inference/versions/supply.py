"""The thread that answers workers' requests: chunks of files, and which versions are active.

Every gateway process takes requests from the queue `supply`; the workers' side is `workers.supply`.
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import Error as DatabaseError
from kombu import Connection, Consumer, Producer
from kombu.exceptions import ContentDisallowed, DecodeError
from kombu.message import Message

from inference.databases.live_connection import on_live_connection
from inference.dispatch.replies import drop_undecodable, keep_consuming
from inference.service_thread import ServiceThread
from inference.versions import selectors, stored_files
from workers.broker.queues import SUPPLY, TRANSIENT
from workers.messages.message import ProtocolError
from workers.messages.refusals import SignatureError, refusals
from workers.messages.signing import UNSIGNED
from workers.messages.supplied import CHUNK_CONTENT_TYPE, ActiveVersions, FileChunk, FileRequest

logger = logging.getLogger(__name__)


class Supply:
    """Owns the thread and its connections to broker and database."""

    def __init__(self) -> None:
        self._thread = ServiceThread("supply", self._serve)

    def start(self) -> None:
        """Start answering."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._thread.stop()

    def _serve(self) -> None:
        keep_consuming(self._consume, self._thread.stopping)

    def _consume(self, connection: Connection) -> Consumer:
        channel = connection.channel()
        queue = SUPPLY(channel)
        queue.queue_declare()
        # One at a time, so that several gateways share the work.
        consumer = Consumer(
            channel,
            [queue],
            on_message=self._receive,
            on_decode_error=self._refuse,
            prefetch_count=1,
            auto_declare=False,
            accept=["json"],
        )
        consumer.consume()
        return consumer

    def _receive(self, message: Message) -> None:
        """Answer one request; one that cannot be answered now, its worker asks again three seconds later."""
        try:
            self._send(on_live_connection(lambda: _answer(message.decode())), message)
        except (ProtocolError, ContentDisallowed, DecodeError) as error:
            refusals.add(error, message.delivery_info)
        except DatabaseError as error:
            logger.warning("The database cannot answer a worker's request: %s", error)
        finally:
            message.ack()

    def _refuse(self, message: Message, error: Exception) -> None:
        """Drop a message; a worker whose key is another one sees so from an answer, and takes no batches."""
        try:
            if isinstance(error, SignatureError) and isinstance(message.properties.get("reply_to"), str):
                # A stranger chose whom it answers: not signed, either.
                self._send(ActiveVersions(()), message, UNSIGNED)
        finally:
            drop_undecodable(message, error)

    @staticmethod
    def _send(answer: FileChunk | ActiveVersions, question: Message, headers: dict[str, str] | None = None) -> None:
        """Answer on the connection that the question came on, which is known to lead somewhere.

        Before it is acknowledged: py-amqp reads what has arrived before it publishes, and so nothing has.
        """
        body, form = _form(answer)
        channel: Any = question.channel
        Producer(channel, auto_declare=False).publish(
            body,
            exchange="",
            routing_key=question.properties.get("reply_to"),
            correlation_id=question.properties.get("correlation_id"),
            delivery_mode=TRANSIENT,
            **({"headers": headers} | form),
        )


def _form(answer: FileChunk | ActiveVersions) -> tuple[Any, dict[str, Any]]:
    """An answer's body, and how it travels: a chunk as bare bytes, all else as JSON."""
    if not isinstance(answer, FileChunk):
        return answer.to_json(), {"serializer": "json"}
    form = {"content_type": CHUNK_CONTENT_TYPE, "content_encoding": "binary", "headers": answer.headers()}
    return answer.content, form


def _answer(question: Any) -> FileChunk | ActiveVersions:
    """What a request asks for.

    Raises:
        ProtocolError: it asks for nothing known.
    """
    if question == {}:
        return ActiveVersions(tuple(selectors.active_versions()))
    request = FileRequest.from_json(question)
    found = stored_files.file_chunk(request.digest, request.offset)
    return FileChunk(-1, b"") if found is None else FileChunk(*found)
