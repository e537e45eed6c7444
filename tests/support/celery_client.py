"""A Celery application as any program may have one: it knows the broker, the task's name, and nothing of Pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from celery import Celery
from kombu import Queue

#: Where batches go: its arguments are Pipeline's own, so nobody else declares it.
PREDICT_QUEUE = Queue("predict", no_declare=True)


@contextmanager
def celery_client(broker_url: str) -> Iterator[Celery]:
    """An application that can send tasks and wait for their results; closed when the block ends."""
    with Celery(broker=broker_url, backend="rpc://") as app:
        try:
            yield app
        finally:
            # What receives results has a connection of its own, which closing the application leaves open.
            if app.backend.result_consumer._connection is not None:
                app.backend.result_consumer.stop()
