"""A batch that comes back is counted before anything of it is computed, and put aside when it came back too often."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from amqp.exceptions import MessageNacked
from celery.exceptions import InvalidTaskError
from kombu import Exchange, Queue
from kombu.exceptions import OperationalError
from kombu.message import Message

from tests.support.waiting import wait_until
from tests.unit.pretended_worker import PretendedNetworks, worker_with
from tests.unit.samples import VERSION, asking
from workers import suspects as suspects_module
from workers.celery import app
from workers.news import NEWS_HEADER, Quarantined
from workers.protocol import PredictBatch
from workers.strategy import careful
from workers.suspects import HEADER, REDELIVERIES_MAX, RESTS, count_redeliveries
from workers.tasks import predict
from workers.worker import Worker

SOON_SECONDS = 10.0


@pytest.fixture(autouse=True)
def _no_line_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many tests there are in a second."""
    monkeypatch.setattr(suspects_module.logger, "filters", [])


@pytest.fixture
def worker() -> Iterator[Worker]:
    with worker_with(PretendedNetworks()) as worker:
        yield worker


class Broker:
    """The queues that a worker sends to, under names of their own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._connection = app.connection_for_read()
        channel = self._connection.channel()
        names = {name: f"{name}.{uuid4().hex}" for name in ("predict", "quarantine", "replies", "gateways")}
        self._queues = {name: Queue(own, durable=True)(channel) for name, own in names.items()}
        exchange = Exchange(names["gateways"], type="fanout", durable=False)
        self._queues["gateways"] = Queue(names["gateways"], exchange)(channel)
        for queue in self._queues.values():
            queue.declare()
        self.reply_to = names["replies"]
        for name, value in [
            ("PREDICT_QUEUE", names["predict"]),
            ("QUARANTINE_QUEUE", names["quarantine"]),
            ("QUARANTINE", Queue(names["quarantine"], durable=True)),
            ("GATEWAYS", exchange),
        ]:
            monkeypatch.setattr(suspects_module, name, value)

    def take(self, name: str) -> Message | None:
        return self._queues[name].get(no_ack=True, accept=["json"])

    def close(self) -> None:
        self._connection.release()


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    broker = Broker(monkeypatch)
    yield broker
    broker.close()


def came_back(broker: Broker, times: Any, **properties: Any) -> Any:
    """A batch as it is delivered once more; its header says that it came back so often before."""
    inputs = asking([0.1, 0.2]).inputs
    body = json.dumps([[PredictBatch(VERSION, inputs, 1, ["a-1"]).to_json()], {}, {}]).encode()
    return SimpleNamespace(
        body=body,
        headers={"id": "batch-1", "task": predict.name, HEADER: times} if times else {"id": "batch-1"},
        properties={"reply_to": broker.reply_to, "correlation_id": "batch-1", "expiration": "30000"} | properties,
        content_type="application/json",
        content_encoding="utf-8",
        delivery_info={"redelivered": True},
    )


def resting(broker: Broker) -> Any:
    """A batch that came back twice, as whoever counted that has sent it on."""
    message = came_back(broker, 2)
    message.headers[RESTS] = True
    message.delivery_info["redelivered"] = False
    return message


def handle(worker: Worker, message: Any) -> None:
    acknowledged, given_back = threading.Event(), threading.Event()
    worker.suspects.take(message, acknowledged.set, given_back.set)
    assert acknowledged.wait(SOON_SECONDS)
    assert not given_back.is_set()


def test_a_batch_that_came_back_once_is_sent_on_at_once_and_counted(worker: Worker, broker: Broker) -> None:
    message = came_back(broker, 0)
    handle(worker, message)
    sent = broker.take("predict")
    assert sent is not None
    assert sent.headers[HEADER] == 1
    assert sent.payload == json.loads(message.body)
    assert (sent.properties["reply_to"], sent.properties["correlation_id"]) == (broker.reply_to, "batch-1")
    assert float(sent.properties["expiration"]) == 30_000
    assert broker.take("quarantine") is None


def test_one_that_came_back_again_is_to_rest_so_that_not_all_workers_die_of_it(worker: Worker, broker: Broker) -> None:
    handle(worker, came_back(broker, 1))
    sent = broker.take("predict")
    assert sent is not None
    assert (sent.headers[HEADER], sent.headers[RESTS]) == (2, True)
    assert float(sent.properties["expiration"]) == 30_000


def test_one_that_is_to_rest_does_and_goes_on(worker: Worker, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suspects_module, "REST_SECONDS", 0.05)
    handle(worker, resting(broker))
    sent = broker.take("predict")
    assert sent is not None
    assert (sent.headers[HEADER], RESTS in sent.headers) == (2, False)
    assert 29_950 <= float(sent.properties["expiration"]) <= 29_980


def test_one_that_rested_in_a_worker_that_has_gone_rests_no_more_and_is_not_counted(
    worker: Worker, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suspects_module, "REST_SECONDS", 10 * SOON_SECONDS)
    again = resting(broker)
    again.delivery_info["redelivered"] = True
    handle(worker, again)
    sent = broker.take("predict")
    assert sent is not None
    assert (sent.headers[HEADER], RESTS in sent.headers) == (2, False)
    assert float(sent.properties["expiration"]) == 30_000


def test_what_rests_together_goes_on_apart(worker: Worker) -> None:
    for _ in range(20):
        worker.suspects._going_on.clear()
        poison, innocent = worker.suspects._rest_seconds(None), worker.suspects._rest_seconds(30_000.0)
        assert 2.0 <= min(poison, innocent) <= max(poison, innocent) <= 5.0
        assert abs(poison - innocent) > 0.5


def test_what_rests_goes_back_to_the_broker_when_the_worker_stops(worker: Worker, broker: Broker) -> None:
    done = threading.Event()
    worker.suspects.take(resting(broker), done.set, done.set)
    worker.suspects.stop()
    worker.suspects._threads.shutdown(wait=True)
    assert not done.is_set()
    assert broker.take("predict") is None


@pytest.mark.parametrize("error", [OperationalError("gone"), MessageNacked(), ConnectionResetError("gone")], ids=repr)
def test_one_that_the_broker_does_not_take_is_given_back(
    error: Exception, worker: Worker, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suspects_module, "GIVE_BACK_SECONDS", 0.0)
    monkeypatch.setattr(worker.suspects._sender, "act", failing(error))
    acknowledged, given_back = threading.Event(), threading.Event()
    worker.suspects.take(came_back(broker, 0), acknowledged.set, given_back.set)
    assert given_back.wait(SOON_SECONDS)
    assert not acknowledged.is_set()


def test_what_cannot_be_handled_is_dropped_and_its_sender_told(
    worker: Worker, broker: Broker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(worker.suspects._sender, "act", failing(TypeError("odd")))
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


def test_what_rests_counts_among_what_the_worker_has_at_hand(worker: Worker, broker: Broker) -> None:
    done = threading.Event()
    worker.suspects.take(resting(broker), done.set, done.set)
    assert worker.window._held == 1
    worker.suspects.stop()
    wait_until(lambda: worker.window._held == 0, SOON_SECONDS, "it is at hand no more")
    assert not done.is_set()


@pytest.mark.parametrize("error", [OperationalError("inequivalent arg"), MessageNacked()], ids=repr)
def test_one_that_cannot_be_put_aside_is_answered_and_dropped(
    error: Exception,
    worker: Worker,
    broker: Broker,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(worker.suspects, "_publish", failing(error))
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
    assert kept.payload == json.loads(message.body)
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
    monkeypatch.setattr("workers.strategy.default", lambda *_, **__: lambda *arguments: taken.append(arguments))
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
    monkeypatch.setattr(suspects_module, "REST_SECONDS", 0.05)
    acknowledged.clear()
    take(resting(broker), None, lambda *_: acknowledged.set(), pytest.fail, None)
    assert acknowledged.wait(SOON_SECONDS)
    assert len(taken) == 1
    with pytest.raises(InvalidTaskError):
        take(SimpleNamespace(delivery_info=None), None, None, None)

    monkeypatch.setattr(suspects_module, "GIVE_BACK_SECONDS", 0.0)
    monkeypatch.setattr(worker.suspects._sender, "act", failing(MessageNacked()))
    rejected: list[Any] = []
    given_back = threading.Event()
    take(came_back(broker, 0), None, pytest.fail, lambda *how: (rejected.append(how), given_back.set()), None)
    assert given_back.wait(SOON_SECONDS)
    assert rejected[0][1:] == ((OSError,), True)
