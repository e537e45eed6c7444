"""The Celery application that gateway and workers share: how messages are sent and handled.

Run a worker with `celery -A workers worker`; it needs BROKER_URL and nothing else.
"""

from __future__ import annotations

import sys

import orjson
from celery import Celery
from environs import EnvError
from kombu import serialization
from kombu.utils.json import dumps

from workers.broker import buffered, embedded_transport
from workers.broker.connection import ANSWER_SECONDS, CONNECT_SECONDS, HEARTBEAT_SECONDS
from workers.broker.queues import PREDICT
from workers.messages.packing import CONTENT_ENCODING, CONTENT_TYPE, NAME, pack, unpack
from workers.messages.protocol import PREDICT_QUEUE
from workers.settings import settings

try:
    told = settings()
except EnvError as error:
    # Celery's command line would show it below the traces of all that it tried.
    sys.exit(str(error))

# What arrives is read five times as fast; what is sent is JSON as kombu writes it.
serialization.register("json", dumps, orjson.loads, content_type="application/json", content_encoding="utf-8")
serialization.register(NAME, pack, unpack, CONTENT_TYPE, CONTENT_ENCODING)  # type: ignore[arg-type]  # bytes it takes
buffered.install()
embedded_transport.install()
app = Celery("workers", amqp="workers.broker.connection:Messaging")
app.conf.update(
    broker_url=told.broker_url,
    broker_heartbeat=HEARTBEAT_SECONDS,
    broker_connection_timeout=CONNECT_SECONDS,
    # A broker that hangs is noticed: no read or write of a socket waits longer.
    broker_transport_options={"read_timeout": ANSWER_SECONDS, "write_timeout": ANSWER_SECONDS},
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    result_backend="workers.consuming.results:ResultBackend",
    result_persistent=False,
    imports=("workers.startup", "workers.tasks", "workers.control"),
    accept_content=["json", NAME],
    task_serializer="json",
    result_serializer="json",
    task_queues=(PREDICT,),
    task_default_queue=PREDICT_QUEUE,
    task_default_exchange="",
    task_default_routing_key=PREDICT_QUEUE,
    task_default_delivery_mode="transient",
    # A worker that dies has not acknowledged its batches, so the broker gives them to another.
    task_acks_late=True,
    # TensorFlow hangs after a fork, and control commands must see what the tasks see: threads, not processes.
    worker_pool="workers.consuming.pool:Pool",
    worker_consumer="workers.consuming.consumer:BatchConsumer",
    worker_concurrency=told.worker_concurrency,
    worker_prefetch_multiplier=1,
    worker_disable_rate_limits=True,
    # What Flower shows; each event is a message more.
    worker_send_task_events=told.task_events,
    worker_cancel_long_running_tasks_on_connection_loss=False,
)
