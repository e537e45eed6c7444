"""How a worker comes back to its broker."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from kombu import Connection
from kombu.transport.memory import Transport
from kombu.utils import functional

from workers.broker.connection import connect
from workers.celery import app
from workers.consuming.consumer import BatchConsumer
from workers.consuming.reconnecting_consumer import ATTEMPTS_A_LINE, Consumer

FAILURES = ATTEMPTS_A_LINE + 2


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What is slept, in seconds, instead of sleeping."""
    slept: list[float] = []
    monkeypatch.setattr(functional, "sleep", lambda seconds: slept.append(seconds) if seconds else None)
    return slept


class Away(Transport):
    """A broker that refuses so many connections."""

    left = FAILURES
    connection_errors = (*Transport.connection_errors, OSError)

    def establish_connection(self) -> Any:
        if Away.left:
            Away.left -= 1
            raise ConnectionRefusedError("nobody listens")
        return super().establish_connection()


def test_a_worker_tries_every_second_however_long_its_broker_is_away(
    slept: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    connection = Connection(transport=Away)

    connected = Consumer.ensure_connected(object.__new__(Consumer), connection)

    assert connected.connected
    assert slept == [1.0] * FAILURES
    said = [record.message for record in caplog.records if record.name == "workers.consuming.reconnecting_consumer"]
    assert len(said) == 3  # its first attempt, one more of thirty, and that it is back
    assert "nobody listens" in said[0]
    assert said[-1] == f"Connected after {FAILURES + 1} attempts."


def test_one_attempt_fails_at_once_and_the_next_may_succeed(
    slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Away, "left", 1)
    connection = Connection(transport=Away)

    with pytest.raises(ConnectionError, match="nobody listens"):
        connect(connection)
    connect(connection)

    assert connection.connected
    assert slept == []


def test_workers_use_it() -> None:
    assert app.conf.worker_consumer == "workers.consuming.consumer:BatchConsumer"
    assert issubclass(BatchConsumer, Consumer)
