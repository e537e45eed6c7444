"""Whether RabbitMQ takes messages: short of memory or disk, it stops to read what is published.

It tells only a connection that publishes, and reads nothing from it any more until the alarm ends. So the connection
that receives the answers, which never waits for anything else to be read, publishes an empty message to nowhere now
and then, and hears what comes of it. What is sent on others meanwhile waits in their sockets, answers of workers too.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from inference.errors import BrokerBlockedError

logger = logging.getLogger(__name__)

#: How often the broker is asked.
LOOK_SECONDS = 0.25
#: A routing key that no queue has: RabbitMQ drops the message.
NOWHERE = "pipeline.nowhere"
REFUSAL = "the broker takes no messages: its memory or disk is full; try again"


class Alarm:
    """On while the broker takes no messages; belongs to the thread that drains the connection it looks by."""

    def __init__(self) -> None:
        self.on = False
        self._on_raised: list[Callable[[], None]] = []

    def call_when_raised(self, callback: Callable[[], None]) -> None:
        """Have `callback` called, in the draining thread, when the broker stops taking messages."""
        self._on_raised.append(callback)

    def transport_options(self) -> dict[str, Any]:
        """What makes py-amqp tell of it."""
        return {"on_blocked": self.sound, "on_unblocked": self.end}

    def look(self, channel: Any) -> None:
        """Have the broker say so, should it be blocked: it is heard when the connection is drained."""
        if not self.on:
            channel.basic_publish(channel.prepare_message(b""), exchange="", routing_key=NOWHERE)

    def check(self) -> None:
        """Nothing while the broker takes messages.

        Raises:
            BrokerBlockedError: it takes none.
        """
        if self.on:
            raise BrokerBlockedError(REFUSAL)

    def sound(self, reason: str = "") -> None:
        """The broker says that it takes no messages."""
        self.on = True
        logger.warning("The broker takes no messages: its memory or disk is full. Refusing requests until it does.")
        for callback in self._on_raised:
            callback()

    def end(self) -> None:
        """The broker says that it takes messages again."""
        self.on = False
        logger.info("The broker takes messages again.")

    def forget(self) -> None:
        """The connection is lost: the next one tells."""
        self.on = False
