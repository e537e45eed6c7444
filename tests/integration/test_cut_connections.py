"""Connections that lead nowhere are let go of at once: nobody waits for a broker that cannot answer."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from kombu import Connection

from inference.supervision.rabbitmq import PrivateNode
from tests.chaos.wire import Wire
from workers.abandon import abandon
from workers.buffered import Transport
from workers.celery import ANSWER_SECONDS

#: AMQP's parting would wait for ANSWER_SECONDS.
AT_ONCE_SECONDS = ANSWER_SECONDS / 2


@pytest.fixture
def wire(rabbitmq: PrivateNode) -> Iterator[Wire]:
    with Wire(rabbitmq.port) as wire:
        yield wire


def connect(url: str) -> Connection:
    options = {"read_timeout": ANSWER_SECONDS, "write_timeout": ANSWER_SECONDS}
    connection = Connection(url, transport=Transport, transport_options=options)
    connection.channel()
    return connection


def test_a_connection_that_is_cut_is_abandoned_at_once(wire: Wire) -> None:
    connection = connect(wire.url)
    wire.cut()
    began = time.monotonic()
    abandon(connection)
    assert time.monotonic() - began < AT_ONCE_SECONDS
    assert not connection.connected


def test_abandoning_twice_or_what_never_was_connected_is_nothing(wire: Wire) -> None:
    connection = connect(wire.url)
    abandon(connection)
    abandon(connection)
    abandon(Connection(wire.url))
