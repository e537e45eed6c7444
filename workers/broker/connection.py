"""Connections as BROKER_URL describes them, whoever hands it over: Celery's command line reads it by itself."""

from __future__ import annotations

from typing import Any

from celery.app.amqp import AMQP
from kombu import Connection

from workers.broker_address import read_broker_address


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
