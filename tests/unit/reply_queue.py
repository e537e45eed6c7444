"""Where a gateway gets its answers, on the in-process broker."""

from __future__ import annotations

from time import monotonic
from typing import Any
from uuid import uuid4

from kombu import Connection

SOON_SECONDS = 10.0


class ReplyQueue:
    """A gateway's reply queue on the in-process broker."""

    def __init__(self, connection: Connection) -> None:
        self.name = f"replies.{uuid4().hex}"
        self._connection = connection
        self._channel = connection.channel()
        self._channel.queue_declare(self.name)
        self.messages: list[Any] = []
        self._channel.basic_consume(self.name, no_ack=True, callback=self.messages.append, consumer_tag="1")

    def next(self) -> tuple[str, Any]:
        """The ticket and the body of the next message."""
        deadline = monotonic() + SOON_SECONDS
        while not self.messages:
            assert monotonic() < deadline, "no message came"
            try:
                self._connection.drain_events(timeout=1)
            except TimeoutError:
                pass
        message = self.messages.pop(0)
        return message.properties["correlation_id"], message.decode()
