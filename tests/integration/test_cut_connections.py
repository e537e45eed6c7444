"""Connections that lead nowhere are let go of at once: nobody waits for a broker that cannot answer."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from kombu import Connection, Queue

from inference.dispatch.replies import Replies
from inference.supervision.rabbitmq import PrivateNode
from inference.versions.fleet import Fleet
from inference.versions.supply import Supply
from tests.chaos.wire import Wire
from tests.support.waiting import wait_until
from workers.broker.buffered import Transport
from workers.broker.connection import ANSWER_SECONDS, HEARTBEAT_SECONDS, abandon
from workers.celery import app
from workers.messages.protocol import GatewayStatus

#: AMQP's parting would wait for ANSWER_SECONDS.
AT_ONCE_SECONDS = ANSWER_SECONDS / 2
SOON_SECONDS = 10.0
CUT_SECONDS = 10.0 * HEARTBEAT_SECONDS


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


def test_after_a_silent_cut_a_gateway_answers_and_commands_workers_again(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", wire.url)
    replies, supply = Replies(), Supply()
    fleet, status = Fleet(replies), GatewayStatus("this one", 0, 1)
    replies.tell_when_asked(lambda: status)
    replies.start()
    supply.start()
    try:
        wait_until(lambda: fleet.gateways(SOON_SECONDS).messages == [status], SOON_SECONDS, "the gateway answers")
        assert command_arrives(wire, fleet)
        before = replies.queue

        wire.cut()
        wire.mend()

        wait_until(lambda: replies.connected and replies.queue != before, CUT_SECONDS, "the cut is found out")
        wait_until(lambda: fleet.gateways(SOON_SECONDS).messages == [status], SOON_SECONDS, "the gateway answers again")
        assert command_arrives(wire, fleet)
    finally:
        fleet.stop()
        supply.stop()
        replies.stop()


def command_arrives(wire: Wire, fleet: Fleet) -> bool:
    """Whether what consumes as a worker does is given a command at once."""
    with connect(wire.url) as connection:
        channel = connection.channel()
        mailbox = Queue(exchange=app.control.mailbox.exchange, exclusive=True)(channel)
        mailbox.declare()
        fleet._publisher.command_workers("any", {})
        wait_until(lambda: mailbox.get(no_ack=True) is not None, SOON_SECONDS, "the command arrives")
    return True
