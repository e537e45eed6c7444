"""How a worker takes a task from the queue: as Celery does, but a malformed one is dropped, not deadly.

Celery reads some parts of a message outside its own guards: a body that is no list, a header that is no number. What
that raises ends the worker, the broker hands the message to the next one, and so on through the fleet.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any

from celery.exceptions import InvalidTaskError
from celery.worker.request import Request
from celery.worker.strategy import default

from workers.consuming.celery_side import celery_side
from workers.consuming.redelivery import is_redelivery

logger = logging.getLogger(__name__)

#: What reading a malformed message raises. A lost connection is none of these: Celery must see it.
MALFORMED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
#: Where a task finds, by this process's monotonic clock, from when on nobody waits for it.
GIVEN_UP_AT = "given_up_at"


class DecodedRequest(Request):
    """Celery's request; its pool would decode the message's body once more.

    The broker drops what has expired in its queue; what expires here, the task drops. How long the message was in the
    queue, its receiver cannot know without comparing two hosts' clocks, so only its time here counts.
    """

    def __init__(self, message: Any, **options: Any) -> None:
        if not options.get("decoded"):
            options.update(body=message.payload, decoded=True)
        super().__init__(message, **options)
        expiration = message.properties.get("expiration")
        if expiration is not None:
            self.request_dict[GIVEN_UP_AT] = monotonic() + int(expiration) / 1000


def careful(task: Any, app: Any, consumer: Any, **options: Any) -> Callable[..., Any]:
    """Celery's default strategy; what it cannot read is refused as an invalid task, which Celery logs and drops.

    What the broker hands out again is not taken at all, but counted and sent on; see `workers.consuming.redelivery`.
    """
    take = default(task, app, consumer, **options)

    def take_carefully(message: Any, body: Any, acknowledge: Any, reject: Any, *arguments: Any, **named: Any) -> Any:
        try:
            if is_redelivery(message):
                done = partial(acknowledge, logger, consumer.connection_errors)
                give_back = partial(reject, logger, consumer.connection_errors, True)
                return celery_side().redelivery.take(message, done, give_back)
            return take(message, body, acknowledge, reject, *arguments, **named)
        except MALFORMED as error:
            raise InvalidTaskError(f"the message cannot be read: {error!r}") from error

    return take_carefully
