"""Letting go of a broker connection that leads nowhere."""

from __future__ import annotations

import amqp
from kombu import Connection


def abandon(connection: Connection) -> None:
    """Close a broken connection's socket without asking the broker, which may never answer.

    AMQP's handshake would wait `workers.celery.ANSWER_SECONDS` for one that hangs, is cut off or reads nothing.
    """
    if connection.connected:
        opened = connection.connection
        if isinstance(opened, amqp.Connection):
            opened.collect()
    connection.release()
