"""What a worker sends on is the broker's before the original is acknowledged, on a real RabbitMQ."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest
from amqp.exceptions import MessageNacked
from celery import Celery
from kombu import Connection, Producer, Queue
from kombu.exceptions import OperationalError

from inference.supervision.rabbitmq import PrivateNode
from workers.broker.sender import SEND_SECONDS, Sender


@pytest.fixture
def sender(rabbitmq: PrivateNode) -> Iterator[Sender]:
    sender = Sender(Celery(broker=rabbitmq.url), confirmed=True)
    yield sender
    sender.close()


@pytest.fixture
def queue(rabbitmq: PrivateNode) -> Iterator[Any]:
    """A queue that takes one message and refuses the next."""
    arguments = {"x-max-length": 1, "x-overflow": "reject-publish"}
    with Connection(rabbitmq.url) as connection:
        queue = Queue(f"confirmed.{uuid4().hex}", durable=False, queue_arguments=arguments)(connection.channel())
        queue.declare()
        yield queue
        queue.delete()


def test_what_a_full_queue_refuses_is_told_and_the_connection_is_kept(sender: Sender, queue: Any) -> None:
    sender.send({}, queue.name, "1")
    with pytest.raises(MessageNacked):
        sender.send({}, queue.name, "2")
    kept = sender._connection
    assert queue.get(no_ack=True).properties["correlation_id"] == "1"

    sender.send({}, queue.name, "3")

    assert queue.get(no_ack=True).properties["correlation_id"] == "3"
    assert sender._connection is kept


def test_a_queue_that_was_declared_otherwise_is_told_at_once(sender: Sender, queue: Any) -> None:
    def publish(producer: Producer) -> None:
        producer.publish({}, exchange="", routing_key=queue.name, declare=[Queue(queue.name, durable=True)])

    began = monotonic()
    with pytest.raises(OperationalError, match="inequivalent arg"):
        sender.act(publish)
    assert monotonic() - began < SEND_SECONDS / 2

    sender.send({}, queue.name, "1")
    assert queue.get(no_ack=True) is not None
