"""Sends answers, on the connection that the questions came on. For its thread."""

from __future__ import annotations

import logging
from typing import Any

from amqp.exceptions import ChannelError
from kombu import Connection, Producer

from inference.amqp_door.return_address import ReturnAddress
from workers.broker.queues import TRANSIENT
from workers.messages.signing import UNSIGNED, message_keys

logger = logging.getLogger(__name__)

#: As celery-node declares the queue that it looks into, and Celery itself once did.
POLLED: dict[str, Any] = {
    "durable": True,
    "auto_delete": True,
    "exclusive": False,
    "arguments": {"x-expires": 24 * 60 * 60 * 1000},
}


class Answers:
    """Those of one connection."""

    def __init__(self, connection: Connection, channel: Any) -> None:
        self._connection = connection
        self._producer = Producer(channel, auto_declare=False)
        #: A stranger chose whom it reaches, so no process of ours is to believe it.
        self._headers = UNSIGNED if message_keys() else None

    def send(self, content: bytes, to: ReturnAddress) -> None:
        """Send an answer; where nobody waits any more, the broker drops it."""
        if to.polled:
            self._declare(to.queue)
        self._producer.publish(
            content,
            exchange="",
            routing_key=to.queue,
            correlation_id=to.correlation_id,
            content_type="application/json",
            content_encoding="utf-8",
            headers=self._headers,
            delivery_mode=TRANSIENT,
        )

    def _declare(self, queue: str) -> None:
        """Its client may not have done so yet; on a channel of its own, which ends when the broker refuses."""
        channel: Any = self._connection.channel()
        try:
            channel.queue_declare(queue, **POLLED)
        except ChannelError as error:  # it is there, declared otherwise, or we may not
            logger.debug("The queue %s is not declared: %s", queue, error)
        channel.close()
