"""The Celery application that gateway and workers share: where messages go and how they are handled.

Run a worker with `celery -A workers worker`; it needs BROKER_URL and nothing else.
"""

from __future__ import annotations

import sys

from celery import Celery
from environs import EnvError
from kombu import Exchange, Queue

from workers.broker import buffered
from workers.broker import embedded_transport as transport
from workers.broker.bounded_queue import BoundedQueue
from workers.messages.protocol import PREDICT_QUEUE, SUPPLY_QUEUE
from workers.settings import settings

#: The default exchange: a message goes to the queue that its routing key names.
DIRECT = Exchange("")
#: The most batches that wait in the broker, whoever sent them. No setting: gateways and workers that were told
#: different numbers could not declare one queue. A policy of RabbitMQ may make it smaller.
QUEUE_BATCHES_MAX = 16_384
PREDICT = BoundedQueue(
    PREDICT_QUEUE,
    DIRECT,
    routing_key=PREDICT_QUEUE,
    durable=True,
    queue_arguments={"x-max-length": QUEUE_BATCHES_MAX, "x-overflow": "reject-publish"},
)
SUPPLY = Queue(SUPPLY_QUEUE, DIRECT, routing_key=SUPPLY_QUEUE, durable=True)

#: What is sent here reaches every gateway process.
GATEWAYS = Exchange("gateways", type="fanout", durable=False)

#: AMQP's delivery mode of messages that the broker need not keep on disk, and of those that it is to keep.
TRANSIENT = 1
PERSISTENT = 2

#: Seconds between heartbeats that a connection asks for: a peer that is silent for two of them is gone.
HEARTBEAT_SECONDS = 3

#: Seconds that a broker may take to accept a connection, and to answer on one.
CONNECT_SECONDS = 3
ANSWER_SECONDS = 3

try:
    told = settings()
except EnvError as error:
    # Celery's command line would show it below the traces of all that it tried.
    sys.exit(str(error))

buffered.install()
transport.install()
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
    accept_content=["json"],
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
    worker_consumer="workers.consuming.consumer:Intake",
    worker_concurrency=told.worker_concurrency,
    worker_prefetch_multiplier=1,
    worker_disable_rate_limits=True,
    # What Flower shows; each event is a message more.
    worker_send_task_events=told.task_events,
    worker_cancel_long_running_tasks_on_connection_loss=False,
)
