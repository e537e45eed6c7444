"""A queue that holds so many messages and refuses more, whatever was declared by its name before.

A queue's arguments are fixed when it is declared: RabbitMQ refuses whoever declares others (406). One that nobody uses,
such as an earlier release's, is declared anew; one in use is used as it is, and a line of the log says so.
"""

from __future__ import annotations

import logging
from typing import Any, ClassVar

from amqp import Channel
from amqp.exceptions import ChannelError, PreconditionFailed
from kombu import Queue

logger = logging.getLogger(__name__)


class BoundedQueue(Queue):
    """A queue with `queue_arguments`; declaring it never fails for those of an older one."""

    _told: ClassVar[set[str]] = set()

    def queue_declare(self, nowait: bool = False, passive: bool = False, channel: Any = None) -> Any:
        """Declare the queue, or ask for it as it is; the answer counts its messages and consumers."""
        channel = channel or self.channel
        if not passive and isinstance(channel, Channel):
            passive = self._differs(channel.connection)
        return super().queue_declare(nowait, passive, channel)

    def _differs(self, connection: Any) -> bool:
        """Whether one with other arguments is there, and in use."""
        if not self._refusal(connection):
            return False
        self._delete_unused(connection)
        refusal = self._refusal(connection)
        if refusal and self.name not in self._told:
            self._told.add(self.name)
            logger.warning(
                "The queue %s is used as it is, without this release's bound, which it was not declared with (%s). "
                "Stop all gateways and workers of this broker: the first one that starts declares it anew.",
                self.name,
                refusal,
            )
        return bool(refusal)

    def _refusal(self, connection: Any) -> str:
        """Why the broker does not take this declaration; empty when it does."""
        # A refused one ends its channel, so it is tried on one of its own.
        channel = connection.channel()
        refusal = ""
        try:
            super().queue_declare(channel=channel)
        except PreconditionFailed as error:
            refusal = str(error.reply_text)
        channel.close()
        return refusal

    def _delete_unused(self, connection: Any) -> None:
        channel = connection.channel()
        try:
            channel.queue_delete(self.name, if_unused=True, if_empty=True)
            logger.info("The queue %s was declared otherwise, and not in use: it is declared anew.", self.name)
        except ChannelError as error:
            logger.debug("The queue %s stays: %s", self.name, error)
        channel.close()
