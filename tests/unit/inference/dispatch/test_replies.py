"""The thread that receives what workers and gateways send to this process."""

from __future__ import annotations

from collections.abc import Iterator
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from kombu import Exchange, Producer
from kombu.message import Message

from inference.dispatch import publisher as publisher_module
from inference.dispatch import replies as replies_module
from inference.dispatch.publisher import Publisher
from inference.dispatch.replies import Replies
from workers.broker.queues import PREDICT, SUPPLY
from workers.celery import app
from workers.messages.protocol import GatewayStatus, Report
from workers.messages.refusals import RefusedError, SignatureError, refusals

SOON_SECONDS = 10.0


@pytest.fixture(autouse=True)
def _own_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gateways that no other test asks."""
    exchange = Exchange(f"gateways.{uuid4().hex}", type="fanout", durable=False)
    monkeypatch.setattr(replies_module, "GATEWAYS", exchange)
    monkeypatch.setattr(publisher_module, "GATEWAYS", exchange)
    monkeypatch.setattr(replies_module, "DRAIN_SECONDS", 0.05)
    monkeypatch.setattr(replies_module, "RECONNECT_SECONDS", 0.0)


@pytest.fixture
def replies() -> Iterator[Replies]:
    replies = Replies()
    replies.start()
    assert replies.wait_connected(SOON_SECONDS)
    yield replies
    replies.stop()


def send(queue: str, ticket: str, body: Any) -> None:
    with app.producer_pool.acquire(block=True) as producer:
        producer.publish(body, exchange="", routing_key=queue, correlation_id=ticket, serializer="json")


def test_a_message_reaches_who_waits_for_its_ticket(replies: Replies) -> None:
    first: SimpleQueue[Any] = SimpleQueue()
    second: SimpleQueue[Any] = SimpleQueue()
    replies.expect("1", first.put)
    replies.expect("2", second.put)

    send(replies.queue, "2", {"to": "second"})
    send(replies.queue, "1", {"to": "first"})

    assert first.get(timeout=SOON_SECONDS) == {"to": "first"}
    assert second.get(timeout=SOON_SECONDS) == {"to": "second"}
    assert first.empty()
    assert second.empty()


def test_a_message_that_nobody_waits_for_is_dropped(replies: Replies) -> None:
    received: SimpleQueue[Any] = SimpleQueue()
    replies.expect("1", received.put)
    replies.expect("2", received.put)
    replies.forget("1")

    send(replies.queue, "1", "forgotten")
    send(replies.queue, "unknown", "unknown")
    send(replies.queue, "2", "awaited")

    assert received.get(timeout=SOON_SECONDS) == "awaited"
    assert received.empty()


def test_a_receiver_that_fails_does_not_keep_others_from_theirs(
    replies: Replies, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Any) -> None:
        raise ValueError("a defect")

    received: SimpleQueue[Any] = SimpleQueue()
    replies.expect("1", fail)
    replies.expect("2", received.put)

    send(replies.queue, "1", "")
    send(replies.queue, "2", "awaited")

    assert received.get(timeout=SOON_SECONDS) == "awaited"
    assert "could not be handled" in caplog.text


def test_the_shared_queues_exist_once_replies_can_arrive(replies: Replies) -> None:
    with app.connection_for_read() as connection:
        for queue in (PREDICT, SUPPLY):
            assert connection.channel().queue_declare(queue.name, passive=True).queue == queue.name


def test_after_a_broken_connection_replies_arrive_on_a_new_queue(
    replies: Replies, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected: SimpleQueue[str] = SimpleQueue()
    received: SimpleQueue[Any] = SimpleQueue()
    replies.call_when_connected(lambda: connected.put(replies.queue))
    old = replies.queue

    def break_connection(*_: Any, **__: Any) -> None:
        monkeypatch.undo()
        raise ConnectionResetError

    # What a receiver raises is logged, so the connection is broken in the answer to another gateway.
    monkeypatch.setattr(replies_module, "Producer", break_connection)
    replies.tell_when_asked(lambda: GatewayStatus("here-1", 3, 256))
    Publisher().ask_gateways("nowhere", "ticket")
    new = connected.get(timeout=SOON_SECONDS)
    replies.expect("1", received.put)
    send(new, "1", "awaited")

    assert new != old
    assert replies.was_mine(new)
    assert replies.was_mine(old)
    assert not Replies().was_mine(old)
    assert received.get(timeout=SOON_SECONDS) == "awaited"


def test_a_gateway_tells_the_others_how_it_is(replies: Replies) -> None:
    status = GatewayStatus("here-1", 3, 256)
    received: SimpleQueue[Any] = SimpleQueue()
    replies.tell_when_asked(lambda: status)
    replies.expect("ticket", received.put)

    Publisher().ask_gateways(replies.queue, "ticket")

    assert GatewayStatus.from_json(received.get(timeout=SOON_SECONDS)) == status


def test_a_question_that_fails_here_costs_no_connection(replies: Replies, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> GatewayStatus:
        raise ConnectionResetError("of something else")

    mine = replies.queue
    replies.tell_when_asked(fail)
    Publisher().ask_gateways("nowhere", "ticket")

    assert ask(mine, {"ticket": "any"}) == {"awaited": False}
    assert replies.queue == mine
    assert "could not be answered" in caplog.text


def test_questions_are_answered_one_after_the_other_on_their_own_connection(
    replies: Replies, monkeypatch: pytest.MonkeyPatch
) -> None:
    within = most = 0
    channels = []

    class ReadsFirst(Producer):
        """Reads what has arrived before it publishes, as py-amqp does."""

        def publish(self, *body: Any, **options: Any) -> Any:
            nonlocal within, most
            within += 1
            most = max(most, within)
            channels.append(self.channel)
            try:
                self.channel.connection.client.drain_events(timeout=0.25)
            except TimeoutError:
                pass
            within -= 1
            return super().publish(*body, **options)

    answers: SimpleQueue[Any] = SimpleQueue()
    replies.expect("asked", answers.put)
    replies.expect("open", lambda _: None)
    monkeypatch.setattr(replies_module, "Producer", ReadsFirst)
    with app.connection_for_write() as connection:
        producer = Producer(connection.channel(), auto_declare=False, serializer="json")
        for _ in range(5):
            producer.publish(
                {"ticket": "open"}, routing_key=replies.queue, reply_to=replies.queue, correlation_id="asked"
            )
        # An answer has no `reply_to`, so it is taken for one.
        assert [answers.get(timeout=SOON_SECONDS) for _ in range(5)] == [{"awaited": True}] * 5

    assert most == 1
    assert len(set(channels)) == 1


def ask(queue: str, question: Any) -> Any:
    """What a process that owns the reply queue answers to a worker's question."""
    received: SimpleQueue[Any] = SimpleQueue()
    mine = Replies()
    mine.expect("mine", received.put)
    mine.start()
    try:
        assert mine.wait_connected(SOON_SECONDS)
        with app.producer_pool.acquire(block=True) as producer:
            producer.publish(
                question, exchange="", routing_key=queue, reply_to=mine.queue, correlation_id="mine", serializer="json"
            )
        return received.get(timeout=SOON_SECONDS)
    finally:
        mine.stop()


def test_a_worker_is_told_whether_its_ticket_is_waited_for(replies: Replies) -> None:
    replies.expect("open", lambda _: None)
    replies.expect("over", lambda _: None)
    replies.forget("over")

    assert ask(replies.queue, {"ticket": "open"}) == {"awaited": True}
    assert ask(replies.queue, {"ticket": "over"}) == {"awaited": False}


def test_a_question_that_cannot_be_read_is_refused_and_the_next_is_answered(replies: Replies) -> None:
    before = refusals.count
    for odd in ({"ticket": 5}, {"ticket": None}, {"ticket": {}}):
        with app.producer_pool.acquire(block=True) as producer:
            producer.publish(odd, exchange="", routing_key=replies.queue, reply_to="nowhere", serializer="json")

    assert ask(replies.queue, {"ticket": "any"}) == {"awaited": False}
    assert refusals.count == before + 3


def test_who_waits_hears_of_an_answer_that_is_not_signed_as_it_should_be() -> None:
    replies = Replies()
    told: list[Any] = []
    replies.expect("a batch", told.append)
    replies.expect("a report", Report.from_json)
    for ticket in ("a batch", "a report", "unknown", ["odd"]):
        channel = SimpleNamespace(no_ack_consumers=["c"])
        place = {"consumer_tag": "c"}
        message = Message(b"", 1, properties={"correlation_id": ticket}, channel=channel, delivery_info=place)
        replies._refuse(message, SignatureError("its signature does not fit"))
        replies._refuse(message, RefusedError("it is too large"))

    assert told == [{"status": "FAILURE", "traceback": "a worker's answer is refused: its signature does not fit"}]


def test_stopping_ends_the_thread_and_its_queue_takes_nothing_more() -> None:
    replies = Replies()
    replies.start()
    assert replies.wait_connected(SOON_SECONDS)

    replies.stop()

    with app.connection_for_read() as connection:
        assert connection.channel().queue_declare(replies.queue).consumer_count == 0
