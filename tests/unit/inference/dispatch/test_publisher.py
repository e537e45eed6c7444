"""What the gateway publishes, on the in-process broker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from celery.events.event import get_exchange
from kombu import Connection, Queue
from kombu.message import Message

from inference.dispatch import publisher as publisher_module
from inference.dispatch.publisher import Publisher
from inference.errors import BrokerUnavailableError
from tests.unit.samples import VERSION, only_input
from workers.celery import app
from workers.messages.packing import NAME
from workers.messages.protocol import PREDICT_TASK, PredictBatch
from workers.settings import settings

BATCH = PredictBatch(VERSION, only_input([0.5, 0.25]), [1])


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Queue:
    queue = Queue(f"predict.{uuid4().hex}", durable=False)
    monkeypatch.setattr(publisher_module, "PREDICT_QUEUE", queue.name)
    return queue


@pytest.fixture
def connection() -> Iterator[Connection]:
    with app.connection_for_read() as connection:
        yield connection


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    publisher = Publisher()
    yield publisher
    publisher.close()


def receive(connection: Connection, queue: Queue) -> Message:
    message = queue(connection.channel()).get(no_ack=True, accept=["json", NAME])
    assert message is not None
    return message


def test_a_batch_is_a_celery_task_that_answers_to_the_reply_queue(
    publisher: Publisher, queue: Queue, connection: Connection
) -> None:
    queue(connection.channel()).queue_declare()

    publisher.send_batch("batch-1", BATCH, "replies.1", 12.5)

    message = receive(connection, queue)
    arguments, options, embedded = message.decode()
    assert (PredictBatch.from_json(*arguments), options) == (BATCH, {})
    assert set(embedded) == {"callbacks", "errbacks", "chain", "chord"}
    assert (message.headers["task"], message.headers["id"]) == (PREDICT_TASK, "batch-1")
    assert message.properties["correlation_id"] == "batch-1"
    assert message.properties["reply_to"] == "replies.1"
    assert message.properties["delivery_mode"] == 1
    assert message.properties["expiration"] == "12500"


def test_a_command_to_workers_is_what_celery_would_broadcast(publisher: Publisher, connection: Connection) -> None:
    mailbox = app.control.mailbox
    mine = Queue(f"pidbox.{uuid4().hex}", mailbox.exchange, durable=False)
    mine(connection.channel()).declare()

    publisher.command_workers("report_status", {"default": None})
    app.control.broadcast("report_status", arguments={"default": None})

    ours, theirs = receive(connection, mine), receive(connection, mine)
    assert ours.decode() == theirs.decode()
    assert (ours.content_type, ours.delivery_info) == (theirs.content_type, theirs.delivery_info)


def test_celery_makes_a_request_of_the_batch_like_of_its_own_messages(
    publisher: Publisher, queue: Queue, connection: Connection
) -> None:
    queue(connection.channel()).queue_declare()
    publisher.send_batch("batch-1", BATCH, "replies.1", 12.5)
    ours = receive(connection, queue).headers

    theirs = app.amqp.as_task_v2("batch-1", PREDICT_TASK, ([BATCH.to_packed()])).headers

    for name in ("lang", "task", "id", "root_id", "parent_id", "group", "retries", "eta", "expires", "timelimit"):
        assert _plain(ours[name]) == _plain(theirs[name]), name


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def test_a_batch_whose_time_is_over_still_expires(publisher: Publisher, queue: Queue, connection: Connection) -> None:
    queue(connection.channel()).queue_declare()

    publisher.send_batch("batch-1", BATCH, "replies.1", -3.0)

    assert receive(connection, queue).properties["expiration"] == "1"


def test_consumers_are_counted(publisher: Publisher, queue: Queue, connection: Connection) -> None:
    channel = connection.channel()
    channel.queue_declare(queue.name)
    assert publisher.count_consumers(queue) == 0

    channel.basic_consume(queue.name, no_ack=True, callback=lambda _: None, consumer_tag="1")

    assert publisher.count_consumers(queue) == 1


class Breaking:
    """Fails the first calls of what it stands in for."""

    def __init__(self, real: Any, failures: int) -> None:
        self.calls = 0
        self._real = real
        self._failures = failures

    def __call__(self, *args: Any, **options: Any) -> Any:
        self.calls += 1
        if self.calls <= self._failures:
            raise ConnectionResetError("connection reset by peer")
        return self._real(*args, **options)


def test_a_connection_that_turns_out_to_be_dead_is_opened_anew(
    publisher: Publisher, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.count_consumers(queue)
    connects = Breaking(app.connection_for_write, 0)
    monkeypatch.setattr(publisher_module, "_declare", Breaking(publisher_module._declare, 1))
    monkeypatch.setattr(app, "connection_for_write", connects)

    assert publisher.count_consumers(queue) == 0
    assert connects.calls == 1


def test_a_broker_that_cannot_be_reached_is_unavailable_until_it_is_back(
    publisher: Publisher, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "connection_for_write", Breaking(app.connection_for_write, 1))

    with pytest.raises(BrokerUnavailableError, match="connection reset by peer"):
        publisher.count_consumers(queue)
    assert publisher.count_consumers(queue) == 0


def test_a_closed_publisher_opens_again_when_it_is_needed(publisher: Publisher, queue: Queue) -> None:
    publisher.close()

    assert publisher.count_consumers(queue) == 0


def test_a_batch_is_told_of_before_it_is_sent_where_events_are_asked_for(
    publisher: Publisher, queue: Queue, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = connection.channel()
    events = Queue("listener", get_exchange(connection), routing_key="#")(channel)
    for each in (queue(channel), events):
        each.declare()
    publisher.send_batch("batch-1", BATCH, "replies.1", 12.5)
    assert events.get() is None

    monkeypatch.setattr(publisher_module, "settings", lambda: replace(settings(), task_events=True))
    publisher.send_batch("batch-2", BATCH, "replies.1", 12.5)

    event = events.get(accept=["json", NAME]).payload
    assert (event["type"], event["uuid"], event["name"]) == ("task-sent", "batch-2", PREDICT_TASK)
    assert [receive(connection, queue).headers["id"] for _ in range(2)] == ["batch-1", "batch-2"]


def test_a_full_queue_refuses_a_batch_and_the_publisher_tells(
    publisher: Publisher, queue: Queue, connection: Connection
) -> None:
    bound = queue(connection.channel())
    bound.queue_arguments = {"x-max-length": 1}
    bound.queue_declare()
    for name in ("batch-1", "batch-2", "batch-3"):
        publisher.send_batch(name, BATCH, "replies.1", 12.5)

    assert publisher.take_refused() == ["batch-2", "batch-3"]
    assert publisher.take_refused() == publisher.take_lost() == []
    assert receive(connection, queue).headers["id"] == "batch-1"
    publisher.send_batch("batch-4", BATCH, "replies.1", 12.5)
    assert publisher.take_refused() == []


def test_a_batch_that_is_given_back_finds_room_in_a_full_queue(queue: Queue, connection: Connection) -> None:
    bound = queue(connection.channel())
    bound.queue_arguments = {"x-max-length": 1}
    bound.queue_declare()
    producer = connection.Producer(routing_key=queue.name)
    producer.publish(1)
    taken = bound.get()
    producer.publish(2)

    taken.reject(requeue=True)

    assert bound.queue_declare().message_count == 2
