"""What clients send to, by name, and what metrics and records call that."""

from __future__ import annotations

from kombu import Queue

from workers.broker.queues import DIRECT

QUEUE_NAME = "pipeline"
#: Of default arguments: clients in other languages declare what they send to.
QUEUE = Queue(QUEUE_NAME, DIRECT, routing_key=QUEUE_NAME, durable=True)
TASK = "pipeline.predict"
ENDPOINT = f"amqp {TASK}"
#: As timings have it.
DOOR = "amqp"
