"""The in-process broker behaves as RabbitMQ does where gateway and workers depend on it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest
from kombu import Connection, Consumer, Exchange, Producer, Queue
from kombu.message import Message

from workers.broker import embedded_transport as transport

#: How long something that must happen at once may take on a busy machine.
SOON_SECONDS = 10.0
#: How long a wait is that nothing ends: long enough to tell waiting from returning at once.
SHORT_SECONDS = 0.05


@pytest.fixture
def connect() -> Iterator[Callable[[], Connection]]:
    transport.install()
    opened: list[Connection] = []

    def make() -> Connection:
        opened.append(Connection("memory://"))
        return opened[-1]

    yield make
    for connection in opened:
        connection.release()


@pytest.fixture
def queue() -> Queue:
    return Queue(f"test.{uuid4().hex}", Exchange(""), durable=False, auto_delete=True)


class Receiver:
    """A thread that drains a connection and hands on what arrives, until it is stopped."""

    def __init__(self, connection: Connection, queue: Queue, prefetch: int | None = None) -> None:
        self.messages: SimpleQueue[Message] = SimpleQueue()
        self._connection = connection
        self._stopping = False
        channel = connection.channel()
        bound = queue(channel)
        bound.queue_declare()
        self.consumer = Consumer(
            channel, [bound], on_message=self.messages.put, prefetch_count=prefetch, auto_declare=False
        )
        self.consumer.consume()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Receiver:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        self._connection.transport.wake()
        self._thread.join(SOON_SECONDS)

    def _run(self) -> None:
        while not self._stopping:
            try:
                self._connection.drain_events(timeout=0.2)
            except TimeoutError:
                pass


def publish(connection: Connection, queue: Queue, body: object) -> None:
    Producer(connection.channel(), auto_declare=False).publish(body, exchange="", routing_key=queue.name)


def test_nothing_arriving_raises_timeout_error(connect: Callable[[], Connection], queue: Queue) -> None:
    connection = connect()
    Receiver(connection, queue)

    with pytest.raises(TimeoutError):
        connection.drain_events(timeout=SHORT_SECONDS)


def test_a_message_wakes_a_consumer_that_waits_in_another_thread(
    connect: Callable[[], Connection], queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "DRAIN_SECONDS_MAX", 60.0)
    connection, sender = connect(), connect()
    receiver = Receiver(connection, queue)
    thread = threading.Thread(target=connection.drain_events, kwargs={"timeout": 60})
    started = monotonic()
    thread.start()

    publish(sender, queue, "wake up")
    thread.join(60)

    assert receiver.messages.get_nowait().decode() == "wake up"
    assert monotonic() - started < SOON_SECONDS


def test_a_wait_without_an_end_ends_all_the_same(
    connect: Callable[[], Connection], queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "DRAIN_SECONDS_MAX", SHORT_SECONDS)
    connection = connect()
    Receiver(connection, queue)

    with pytest.raises(TimeoutError):
        connection.drain_events(timeout=None)


def test_a_message_that_arrived_before_the_wait_is_delivered_at_once(
    connect: Callable[[], Connection], queue: Queue
) -> None:
    connection = connect()
    receiver = Receiver(connection, queue)
    publish(connect(), queue, 1)

    connection.drain_events(timeout=0)

    assert receiver.messages.get_nowait().decode() == 1


def test_messages_of_many_threads_all_arrive_once(connect: Callable[[], Connection], queue: Queue) -> None:
    with Receiver(connect(), queue) as receiver:
        connections = [connect() for _ in range(4)]
        threads = [
            threading.Thread(target=lambda start=start, own=own: [publish(own, queue, start + i) for i in range(50)])
            for start, own in zip(range(0, 200, 50), connections, strict=True)
        ]
        for thread in threads:
            thread.start()
        bodies = [receiver.messages.get(timeout=SOON_SECONDS).decode() for _ in range(200)]
        for thread in threads:
            thread.join()

    assert sorted(bodies) == list(range(200))
    with pytest.raises(Empty):
        receiver.messages.get_nowait()


def test_a_message_to_a_queue_that_does_not_exist_is_dropped(connect: Callable[[], Connection], queue: Queue) -> None:
    connection = connect()

    publish(connection, queue, "lost")

    assert connection.channel().queue_declare(queue.name).message_count == 0


def test_declaring_a_queue_tells_how_many_consume_from_it(connect: Callable[[], Connection], queue: Queue) -> None:
    def count() -> int:
        return int(connect().channel().queue_declare(queue.name).consumer_count)

    assert count() == 0
    first, second = Receiver(connect(), queue), Receiver(connect(), queue)
    assert count() == 2
    first.consumer.cancel()
    assert count() == 1
    second.consumer.channel.close()
    assert count() == 0


def test_a_consumer_whose_connection_closes_is_not_counted(connect: Callable[[], Connection], queue: Queue) -> None:
    connection = connect()
    Receiver(connection, queue)

    connection.release()

    assert connect().channel().queue_declare(queue.name).consumer_count == 0


def test_two_consumers_share_the_messages(connect: Callable[[], Connection], queue: Queue) -> None:
    with Receiver(connect(), queue, prefetch=1) as first, Receiver(connect(), queue, prefetch=1) as second:
        sender = connect()
        publish(sender, queue, 1)
        publish(sender, queue, 2)

        taken = [receiver.messages.get(timeout=SOON_SECONDS).decode() for receiver in (first, second)]

    assert sorted(taken) == [1, 2]


def test_a_consumer_gets_the_next_message_when_it_has_acknowledged_the_one_before(
    connect: Callable[[], Connection], queue: Queue
) -> None:
    with Receiver(connect(), queue, prefetch=1) as receiver:
        sender = connect()
        publish(sender, queue, 1)
        publish(sender, queue, 2)
        first = receiver.messages.get(timeout=SOON_SECONDS)
        with pytest.raises(Empty):
            receiver.messages.get(timeout=SHORT_SECONDS)

        first.ack()

        assert receiver.messages.get(timeout=SOON_SECONDS).decode() == 2


def test_a_prefetch_that_is_changed_in_another_thread_counts_at_once(
    connect: Callable[[], Connection], queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "DRAIN_SECONDS_MAX", 60.0)
    with Receiver(connect(), queue, prefetch=1) as receiver:
        sender = connect()
        for number in range(4):
            publish(sender, queue, number)
        taken = [receiver.messages.get(timeout=SOON_SECONDS)]
        started = monotonic()
        receiver.consumer.qos(prefetch_count=3)
        taken += [receiver.messages.get(timeout=SOON_SECONDS) for _ in range(2)]
        assert monotonic() - started < SOON_SECONDS

        receiver.consumer.qos(prefetch_count=1)
        taken.pop().ack()
        taken.pop().ack()
        with pytest.raises(Empty):
            receiver.messages.get(timeout=SHORT_SECONDS)
        taken.pop().ack()
        assert receiver.messages.get(timeout=SOON_SECONDS).decode() == 3


def test_a_rejected_message_that_goes_back_comes_again(connect: Callable[[], Connection], queue: Queue) -> None:
    with Receiver(connect(), queue, prefetch=1) as receiver:
        publish(connect(), queue, "again")
        receiver.messages.get(timeout=SOON_SECONDS).reject(requeue=True)

        assert receiver.messages.get(timeout=SOON_SECONDS).decode() == "again"


def test_a_broadcast_reaches_every_queue_that_is_bound(connect: Callable[[], Connection]) -> None:
    exchange = Exchange(f"all.{uuid4().hex}", "fanout", durable=False)
    queues = [Queue(f"test.{uuid4().hex}", exchange, durable=False) for _ in range(2)]
    receivers: list[Any] = []
    for queue in queues:
        connection = connect()
        receiver = Receiver(connection, queue)
        bound = queue(connection.channel())
        bound.declare()
        receivers.append((connection, receiver))

    Producer(connect().channel(), exchange=exchange).publish("everybody")

    for connection, receiver in receivers:
        connection.drain_events(timeout=SOON_SECONDS)
        assert receiver.messages.get_nowait().decode() == "everybody"
