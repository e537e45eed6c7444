"""Batches that come back to a worker, and the queues that it sends them to."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from kombu import Exchange, Queue
from kombu.message import Message

from tests.unit.samples import VERSION, asking
from workers.celery import app
from workers.consuming import redelivery as redelivery_module
from workers.consuming.redelivery import HEADER, RESTS
from workers.messages.packing import CONTENT_ENCODING, CONTENT_TYPE, NAME, pack, unpack
from workers.messages.protocol import PredictBatch
from workers.tasks import predict
from workers.worker import Worker

SOON_SECONDS = 10.0


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
            monkeypatch.setattr(redelivery_module, name, value)

    def take(self, name: str) -> Message | None:
        return self._queues[name].get(no_ack=True, accept=["json", NAME])

    def close(self) -> None:
        self._connection.release()


class Delivered(SimpleNamespace):
    """A message, as far as it is looked at."""

    @property
    def payload(self) -> Any:
        """What its body says."""
        return unpack(self.body)


def came_back(broker: Broker, times: Any, **properties: Any) -> Any:
    """A batch as it is delivered once more; its header says that it came back so often before."""
    inputs = asking([0.1, 0.2]).inputs
    payload = [[PredictBatch(VERSION, inputs, [1], ["a-1"]).to_packed()], {}, {}]
    return Delivered(
        body=pack(payload),
        headers={"id": "batch-1", "task": predict.name, HEADER: times} if times else {"id": "batch-1"},
        properties={"reply_to": broker.reply_to, "correlation_id": "batch-1", "expiration": "30000"} | properties,
        content_type=CONTENT_TYPE,
        content_encoding=CONTENT_ENCODING,
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
    worker.consuming.redelivery.take(message, acknowledged.set, given_back.set)
    assert acknowledged.wait(SOON_SECONDS)
    assert not given_back.is_set()
