"""What a task's error sends back to whoever asked: it says what went wrong, and no more than a message holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from celery.app.trace import build_tracer
from kombu import Connection

from workers.broker.sender import Sender
from workers.celery import app
from workers.consuming import results
from workers.messages.message import TRACE_CHARACTERS_MAX
from workers.runtime.errors import WeightsError

LONG = "x" * 9_000_000


@pytest.fixture(autouse=True)
def sender(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sender]:
    """What this process's worker would answer with."""
    sender = Sender(app)
    monkeypatch.setattr(results, "celery_side", lambda: SimpleNamespace(sender=sender, name="w1@here"))
    yield sender
    sender.close()


def outcome(error: Exception) -> dict[str, Any]:
    """What a client receives of a task that raises `error`."""

    @app.task(name=uuid4().hex, throws=(WeightsError,))
    def fail() -> None:
        raise error from ValueError(LONG)

    with app.connection_for_read() as connection:
        return _run(fail, connection)


def _run(task: Any, connection: Connection) -> dict[str, Any]:
    queue, received = uuid4().hex, []
    channel: Any = connection.channel()
    channel.queue_declare(queue)
    channel.basic_consume(queue, no_ack=True, callback=received.append, consumer_tag="1")
    request = {"reply_to": queue, "correlation_id": "1", "is_eager": False, "hostname": "here"}
    build_tracer(task.name, task, app=app)(uuid4().hex, (), {}, request)
    connection.drain_events(timeout=10)
    body: dict[str, Any] = json.loads(received[0].body)
    return body


@pytest.mark.parametrize(
    "error",
    [WeightsError(LONG), WeightsError("short"), KeyError([LONG, LONG]), OSError(2, "none", LONG)],
    ids=["text", "cause", "list", "several"],
)
def test_an_error_that_says_very_much_is_sent_shortened(error: Exception) -> None:
    body = outcome(error)

    assert len(json.dumps(body)) < 3 * TRACE_CHARACTERS_MAX
    assert body["status"] == "FAILURE"
    assert body["result"]["exc_type"] == type(error).__name__
    assert body["traceback"].startswith("ValueError: xxx")
    assert f"{type(error).__name__}: " in body["traceback"].splitlines()[-1]


def test_an_error_of_common_length_is_sent_as_it_is() -> None:
    body = outcome(WeightsError("it does not fit"))

    assert (body["result"]["exc_message"], body["worker"]) == (["it does not fit"], "w1@here")
    assert outcome(OSError(2, "not there"))["result"]["exc_message"] == [2, "not there"]
