"""What Celery's own clients tell of a task that they send: so Flower shows a batch before a worker takes it.

Only where PIPELINE_TASK_EVENTS says so: each event is a message more.
"""

from __future__ import annotations

from functools import cache

from celery.events.dispatcher import EventDispatcher
from kombu import Producer

from workers.celery import app
from workers.messages.protocol import PREDICT_QUEUE, PREDICT_TASK


@cache
def _dispatcher() -> EventDispatcher:
    # It has no connection of its own, and is given the producer to send with.
    dispatcher: EventDispatcher = app.events.Dispatcher(enabled=False)
    return dispatcher


def tell_sent(producer: Producer, batch_id: str) -> None:
    """Tell whoever listens that a batch is about to be sent."""
    fields = {"uuid": batch_id, "root_id": batch_id, "name": PREDICT_TASK, "args": "", "kwargs": "", "retries": 0}
    place = {"queue": PREDICT_QUEUE, "exchange": "", "routing_key": PREDICT_QUEUE}
    _dispatcher().publish("task-sent", fields | place, producer)
