"""The thread that answers workers' requests: chunks of files, and which versions are active.

Every gateway process takes requests from the queue `supply`; the workers' side is `workers.supply`.
"""

from __future__ import annotations

import base64
import logging
from typing import Any

from django.db import Error as DatabaseError
from kombu import Connection, Consumer
from kombu.exceptions import ContentDisallowed, DecodeError
from kombu.message import Message

from inference import selectors, stored_files
from inference.database import on_live_connection
from inference.replies import drop_undecodable, keep_consuming
from inference.service_thread import ServiceThread
from workers.celery import SUPPLY, TRANSIENT, app
from workers.protocol import ActiveVersions, FileChunk, FileRequest, ProtocolError

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
            on_decode_error=drop_undecodable,
            prefetch_count=1,
            auto_declare=False,
            accept=["json"],
        )
        consumer.consume()
        return consumer

    def _receive(self, message: Message) -> None:
        """Answer one request; one that cannot be answered now is asked again by its worker."""
        try:
            answer = on_live_connection(lambda: _answer(message.decode())).to_json()
            self._send(answer, message.properties)
        except (ProtocolError, ContentDisallowed, DecodeError) as error:
            logger.warning("A request on the queue supply cannot be read: %s", error)
        except DatabaseError as error:
            logger.warning("The database cannot answer a worker's request: %s", error)
        finally:
            message.ack()

    @staticmethod
    def _send(answer: dict[str, Any], properties: dict[str, Any]) -> None:
        with app.producer_pool.acquire(block=True) as producer:
            producer.publish(
                answer,
                exchange="",
                routing_key=properties.get("reply_to"),
                correlation_id=properties.get("correlation_id"),
                serializer="json",
                delivery_mode=TRANSIENT,
            )


def _answer(question: Any) -> FileChunk | ActiveVersions:
    """What a request asks for.

    Raises:
        ProtocolError: it asks for nothing known.
    """
    if question == {}:
        return ActiveVersions(tuple(selectors.active_versions()))
    request = FileRequest.from_json(question)
    found = stored_files.file_chunk(request.digest, request.offset)
    if found is None:
        return FileChunk(-1, "")
    size, content = found
    return FileChunk(size, base64.b64encode(content).decode("ascii"))
