"""Celery's consumer, but it takes no task other than a batch, and nothing that a batch does not need.

Celery obeys whatever a message says: to run the task later, which widens the prefetch and piles tasks up in memory, or
to publish others when it is done. And it reads parts of a message outside its own guards, where a malformed one ends
the worker, and the next one that the broker hands it to. Here such a message is refused: acknowledged, logged, and
answered with an error when it says where to.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from celery.worker import consumer
from kombu.exceptions import KombuError
from kombu.message import Message
from vine import promise

from workers.consuming.celery_side import celery_side
from workers.consuming.reconnecting_consumer import Consumer
from workers.consuming.redelivery import is_redelivery
from workers.messages.protocol import PREDICT_TASK
from workers.messages.refusals import RefusedError, refusals, require_sent

logger = logging.getLogger(__name__)

#: A task's id: Celery's are UUIDs.
ID_CHARACTERS_MAX = 255
#: What a message may ask for beside the task itself; no batch does.
LATER = ("eta",)
AFTERWARDS = ("callbacks", "errbacks", "chain", "chord")


class BatchConsumer(Consumer):
    """What a worker takes from the queue `predict`; `worker_consumer` names it."""

    class Blueprint(consumer.Consumer.Blueprint):  # type: ignore[misc, valid-type]  # not in the stubs
        """Celery's parts, with commands of our own."""

        default_steps = tuple(
            "workers.consuming.commands:Control" if step.endswith(":Control") else step
            for step in consumer.Consumer.Blueprint.default_steps
        )

    def create_task_handler(self, promise: Any = promise) -> Callable[[Message], None]:
        """What each message is given to."""
        take = super().create_task_handler(promise)

        def take_or_refuse(message: Message) -> None:
            try:
                require_task(message)
                if not is_redelivery(message):  # else it is not even read: that may be what kills
                    require_batch(message)
            except (RefusedError, KombuError) as error:
                self.on_decode_error(message, error)
            else:
                take(message)

        return take_or_refuse

    def on_decode_error(self, message: Message, exc: Exception) -> None:
        """Refuse a message; called for commands as well, which every worker would answer, and so none does."""
        if not message.errors:  # else it was counted where it came in
            refusals.add(exc, message.delivery_info)
        message.ack_log_error(logger, self.connection_errors)
        properties = message.properties
        reply_to, correlation_id = properties.get("reply_to"), properties.get("correlation_id")
        sent_to_one = not message.delivery_info.get("exchange")
        if sent_to_one and isinstance(reply_to, str) and isinstance(correlation_id, str):
            celery_side().reporter.tell_refused(exc, reply_to, correlation_id)

    def on_invalid_task(self, body: Any, message: Message, exc: Exception) -> None:
        """Refuse a batch that Celery cannot read."""
        self.on_decode_error(message, exc)


def require_task(message: Message) -> None:
    """Have a message refused that is not, by its headers, a batch.

    Raises:
        RefusedError: it is none, or was refused where it came in.
    """
    for _, error, _ in message.errors or ():
        raise error
    headers = message.headers
    require_sent(headers.get("task") == PREDICT_TASK, f"it is no task of Pipeline: {ascii(headers.get('task'))[:80]}")
    identity = headers.get("id")
    require_sent(isinstance(identity, str) and 0 < len(identity) <= ID_CHARACTERS_MAX, "its task has no id")
    require_sent(not any(headers.get(name) for name in LATER), "it is for later, and a batch is for now")
    require_sent(isinstance(headers.get("retries") or 0, int), "its retries are no number")


def require_batch(message: Message) -> None:
    """Have a message refused that is not, by its body's form, a batch; what the batch itself says is read by the task.

    Raises:
        RefusedError: it is none.
        KombuError: its body cannot be read.
    """
    body = message.payload
    require_sent(isinstance(body, list | tuple) and len(body) == 3, "its body is not what Celery's protocol 2 says")
    arguments, named, embedded = body
    require_sent(isinstance(arguments, list | tuple) and isinstance(named, Mapping), "its arguments are none")
    require_sent(isinstance(embedded or {}, Mapping), "its body is not what Celery's protocol 2 says")
    following = [name for name in AFTERWARDS if (embedded or {}).get(name)]
    require_sent(not following, f"it asks for other tasks to follow: {', '.join(following)}")
