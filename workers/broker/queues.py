"""Where messages go: the queues and the exchange of Pipeline, and how its messages are kept there."""

from __future__ import annotations

from kombu import Exchange, Queue

from workers.broker.bounded_queue import BoundedQueue
from workers.messages.protocol import PREDICT_QUEUE, SUPPLY_QUEUE

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
