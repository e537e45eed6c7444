"""A batch that comes back is counted before anything of it is computed, and put aside when it came back too often."""

from __future__ import annotations

import logging
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from amqp.exceptions import MessageNacked
from celery.exceptions import InvalidTaskError
from kombu.exceptions import OperationalError

from tests.support.waiting import wait_until
from tests.unit.redeliveries import SOON_SECONDS, Broker, came_back, handle, resting
from tests.unit.samples import VERSION
from workers.celery import app
from workers.consuming import redelivery as redelivery_module
from workers.consuming.redelivery import HEADER, REDELIVERIES_MAX, count_redeliveries
from workers.consuming.strategy import careful
from workers.messages.news import NEWS_HEADER, Quarantined
from workers.messages.packing import unpack
from workers.tasks import predict
from workers.worker import Worker


def test_a_batch_that_came_back_once_is_sent_on_at_once_and_counted(worker: Worker, broker: Broker) -> None:
    message = came_back(broker, 0)
    handle(worker, message)
    sent = broker.take("predict")
    assert sent is not None
    assert sent.headers[HEADER] == 1
    assert sent.payload == unpack(message.body)
    assert (sent.properties["reply_to"], sent.properties["correlation_id"]) == (broker.reply_to, "batch-1")
    assert float(sent.properties["expiration"]) == 30_000
    assert broker.take("quarantine") is None


@pytest.mark.parametrize("error", [OperationalError("gone"), MessageNacked(), ConnectionResetError("gone")], ids=repr)
def test_one_that_the_broker_does_not_take_is_given_back(
    error: Exception, worker: Worker, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redelivery_module, "GIVE_BACK_SECONDS", 0.0)
    monkeypatch.setattr(worker.consuming.redelivery._sender, "act", failing(error))
    acknowledged, given_back = threading.Event(), threading.Event()
    worker.consuming.redelivery.take(came_back(broker, 0), acknowledged.set, given_back.set)
    assert given_back.wait(SOON_SECONDS)
    assert not acknowledged.is_set()


def test_what_cannot_be_handled_is_dropped_and_its_sender_told(
    worker: Worker, broker: Broker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(worker.consuming.redelivery._sender, "act", failing(TypeError("odd")))
    handle(worker, came_back(broker, 0))
    assert "Batch batch-1 came back, and cannot be handled" in caplog.text
    answer = wait_until(lambda: broker.take("replies"), SOON_SECONDS)
    assert answer is not None
    assert answer.payload["status"] == "FAILURE"
    assert "odd" in answer.payload["traceback"]


def test_headers_that_no_worker_needs_are_left_behind(worker: Worker, broker: Broker) -> None:
    message = came_back(broker, 0)
    message.headers |= {"x": "y" * 200_000, "root_id": "z" * 1000, "retries": 3, "lang": "py"}
    handle(worker, message)
    sent = broker.take("predict")
    assert sent is not None
    assert sent.headers == {"id": "batch-1", "lang": "py", HEADER: 1}


@pytest.mark.parametrize("error", [OperationalError("inequivalent arg"), MessageNacked()], ids=repr)
def test_one_that_cannot_be_put_aside_is_answered_and_dropped(
    error: Exception,
    worker: Worker,
    broker: Broker,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(worker.consuming.redelivery, "_publish", failing(error))
    handle(worker, came_back(broker, REDELIVERIES_MAX))
    answer = broker.take("replies")
    assert answer is not None
    assert answer.payload["result"]["exc_type"] == "QuarantinedError"
    assert "does not take it, and it is dropped" in caplog.text


def failing(error: Exception) -> Any:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    return fail


def test_one_that_came_back_too_often_is_put_aside_and_everybody_is_told(
    worker: Worker, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    message = came_back(broker, REDELIVERIES_MAX)
    with caplog.at_level(logging.ERROR):
        handle(worker, message)
    assert broker.take("predict") is None

    answer = broker.take("replies")
    assert answer is not None
    assert answer.properties["correlation_id"] == "batch-1"
    assert answer.payload["status"] == "FAILURE"
    assert answer.payload["result"]["exc_type"] == "QuarantinedError"
    assert answer.payload["worker"] == worker.name

    news = broker.take("gateways")
    assert news is not None
    assert news.headers[NEWS_HEADER] == "quarantined"
    assert Quarantined.from_json(news.payload) == Quarantined(VERSION, broker.reply_to, "batch-1")

    kept = broker.take("quarantine")
    assert kept is not None
    assert kept.payload == unpack(message.body)
    assert (kept.properties["delivery_mode"], "expiration" in kept.properties) == (2, False)
    (line,) = caplog.records
    assert str(VERSION) in line.getMessage()
    assert line.request_ids == ["a-1"]  # type: ignore[attr-defined]


def test_what_is_no_batch_is_put_aside_as_well(worker: Worker, broker: Broker) -> None:
    message = came_back(broker, REDELIVERIES_MAX)
    message.body = b"[]"
    handle(worker, message)
    assert broker.take("quarantine") is not None
    assert broker.take("replies") is not None
    assert broker.take("gateways") is None


def test_nobody_asked_for_an_answer_and_none_is_sent(worker: Worker, broker: Broker) -> None:
    message = came_back(broker, REDELIVERIES_MAX)
    message.properties = {}
    handle(worker, message)
    assert broker.take("quarantine") is not None
    assert broker.take("replies") is None


@pytest.mark.parametrize("header", [None, "2", -1, 1.5, True, [3]])
def test_a_header_that_is_no_count_counts_nothing(header: Any) -> None:
    assert count_redeliveries({HEADER: header}) == 0


def test_the_strategy_takes_nothing_that_was_handed_out_before(
    worker: Worker, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor what is to rest."""
    taken: list[Any] = []
    monkeypatch.setattr(
        "workers.consuming.strategy.default", lambda *_, **__: lambda *arguments: taken.append(arguments)
    )
    consumer: Any = SimpleNamespace(connection_errors=(OSError,))
    take = careful(predict, app, consumer)
    fresh = came_back(broker, 0)
    fresh.delivery_info["redelivered"] = False
    take(fresh, None, None, None, None)
    assert len(taken) == 1

    acknowledged = threading.Event()
    take(came_back(broker, 0), None, lambda *_: acknowledged.set(), pytest.fail, None)
    assert acknowledged.wait(SOON_SECONDS)
    assert len(taken) == 1
    assert broker.take("predict") is not None
    monkeypatch.setattr(redelivery_module, "REST_SECONDS", 0.05)
    acknowledged.clear()
    take(resting(broker), None, lambda *_: acknowledged.set(), pytest.fail, None)
    assert acknowledged.wait(SOON_SECONDS)
    assert len(taken) == 1
    with pytest.raises(InvalidTaskError):
        take(SimpleNamespace(delivery_info=None), None, None, None)

    monkeypatch.setattr(redelivery_module, "GIVE_BACK_SECONDS", 0.0)
    monkeypatch.setattr(worker.consuming.redelivery._sender, "act", failing(MessageNacked()))
    rejected: list[Any] = []
    given_back = threading.Event()
    take(came_back(broker, 0), None, pytest.fail, lambda *how: (rejected.append(how), given_back.set()), None)
    assert given_back.wait(SOON_SECONDS)
    assert rejected[0][1:] == ((OSError,), True)
