"""Connections to the broker: made as BROKER_URL describes them, tried once, and let go of when they lead nowhere.

Celery's command line reads BROKER_URL by itself, so what an address says is read where a connection is made.
"""

from __future__ import annotations

from typing import Any

import amqp
from celery.app.amqp import AMQP
from kombu import Connection
from kombu.exceptions import OperationalError

from workers.broker_address import read_broker_address

#: Seconds between heartbeats that a connection asks for: a peer that is silent for two of them is gone.
HEARTBEAT_SECONDS = 3
#: Seconds that a broker may take to accept a connection, and to answer on one.
CONNECT_SECONDS = 3
ANSWER_SECONDS = 3


class BrokerConnection(Connection):
    """kombu's connection; `amqps://` is verified by what the address says after `?`.

    Raises:
        ValueError: the address cannot be read, or is for a transport that signs and verifies nothing.
    """

    def __init__(self, hostname: str = "localhost", *arguments: Any, **options: Any) -> None:
        if isinstance(hostname, str) and "://" in hostname:
            address = read_broker_address(hostname)
            hostname, options["ssl"] = address.url, options.get("ssl") or address.tls
        super().__init__(hostname, *arguments, **options)


class Messaging(AMQP):
    """Celery's messaging over such connections."""

    Connection = BrokerConnection


def connect(connection: Connection) -> None:
    """Open a connection to the first node of the broker that accepts it, each tried once, or fail: whoever asks for it
    knows when to try again.

    Kombu by itself would try all of them once more, two seconds later.

    Raises:
        ConnectionError: no node of the broker accepts it.
    """
    try:
        connection.ensure_connection(max_retries=max(0, len(connection.alt) - 1))
    except OperationalError as error:
        raise ConnectionError(str(error)) from error


def abandon(connection: Connection) -> None:
    """Close a broken connection's socket without asking the broker, which may never answer.

    AMQP's handshake would wait ANSWER_SECONDS for one that hangs, is cut off or reads nothing.
    """
    if connection.connected:
        opened = connection.connection
        if isinstance(opened, amqp.Connection):
            opened.collect()
    connection.release()
