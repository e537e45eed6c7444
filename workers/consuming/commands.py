"""How a worker listens to broadcast commands: it obeys Pipeline's own and those that only look; Celery has others.

Celery's workers shut down, change their pools, forget tasks and consume from other queues for anybody who can reach the
broker. Whoever runs a worker stops it on its host.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from copy import copy
from typing import Any

from amqp.exceptions import ResourceLocked
from celery.worker import pidbox
from celery.worker.consumer.control import Control as CelerysControl
from kombu import Queue
from kombu.message import Message

from workers.messages.measures import MEASURES_COMMAND
from workers.messages.protocol import LOAD_COMMAND, STATUS_COMMAND
from workers.messages.refusals import RefusedError, refusals, require_sent
from workers.settings import settings

logger = logging.getLogger(__name__)

#: What `celery inspect` and Flower ask for, with the older names of the same.
LOOKS = {"active", "active_queues", "clock", "conf", "ping", "registered", "reserved", "revoked", "scheduled", "stats"}
OLDER_NAMES = {"dump_active", "dump_reserved", "dump_revoked", "dump_schedule", "dump_tasks"}
#: What Flower asks for again and again; it changes nothing where events are sent anyway.
EVENTS = {"enable_events"} if settings().task_events else set()
OBEYED = frozenset({LOAD_COMMAND, STATUS_COMMAND, MEASURES_COMMAND} | LOOKS | OLDER_NAMES | EVENTS)
COMMAND_BYTES_MAX = 64 * 1024


class Mailbox(pidbox.Pidbox):
    """Celery's mailbox of a worker; commands that it does not obey, or cannot read, are refused.

    Its first queue has the worker's name, so that a second worker of that name is told so. After a reconnect it has
    another one: the broker may keep the old one, which was for the old connection alone, until it has missed that
    one's heartbeats; or a cluster drop the new one with what a node that is gone had.
    """

    def start(self, c: Any) -> None:
        """Listen on this connection."""
        if c.restart_count > 0:
            self.node.mailbox = _numbered(c.app.control.mailbox, c.restart_count)
            _keep_name(c, c.app.control.mailbox.get_queue(c.hostname))
        super().start(c)

    def on_message(self, body: Any, message: Message) -> None:
        """Obey a command, or refuse it."""
        try:
            require_command(body, message, self.node.mailbox.reply_exchange.name)
        except RefusedError as error:
            refusals.add(error, message.delivery_info)
            return
        # Lamport's clock, which only workers that gossip need: a stranger could set it to where it breaks.
        message.headers.pop("clock", None)
        super().on_message(body, message)


def _numbered(mailbox: Any, number: int) -> Any:
    """The mailbox, with queues of such a number."""
    numbered = copy(mailbox)
    numbered.get_queue = lambda hostname: mailbox.get_queue(f"{hostname}.{number}")
    return numbered


def _keep_name(c: Any, queue: Queue) -> None:
    """Have no other worker start by this worker's name, if the broker lets us have it now."""
    channel: Any = c.connection.channel()
    try:
        queue(channel).queue_declare()
    except ResourceLocked:
        logger.debug("The broker keeps the queue %s for the old connection still.", queue.name)
    finally:
        channel.close()


class Control(CelerysControl):
    """Celery's part of a worker, with that mailbox."""

    def __init__(self, c: Any, **options: Any) -> None:
        super().__init__(c, **options)
        self.box = Mailbox(c)
        for name in ("start", "stop", "shutdown"):  # Celery's sets them on the instance, too
            setattr(self, name, getattr(self.box, name))


def require_command(body: Any, message: Message, reply_exchange: str) -> None:
    """Have a message refused that is no command which workers obey.

    Raises:
        RefusedError: it is none.
    """
    require_sent(len(message.body or "") <= COMMAND_BYTES_MAX, f"a command has at most {COMMAND_BYTES_MAX} bytes")
    require_sent(isinstance(body, dict), "a command must be an object")
    method = body.get("method")
    require_sent(isinstance(method, str) and method in OBEYED, f"workers obey no command {ascii(method)[:80]}")
    require_sent(isinstance(body.get("arguments") or {}, Mapping), "a command's arguments must be an object")
    require_sent(_are_names(body.get("destination") or []), "a command's destination must be a list of workers")
    # A pattern is a regular expression of the sender's, which can take for ever.
    require_sent(body.get("pattern") is None and body.get("matcher") is None, "a command names workers, no pattern")
    reply_to = body.get("reply_to")
    if reply_to is not None:
        known = isinstance(reply_to, Mapping) and reply_to.get("exchange") == reply_exchange
        require_sent(known and isinstance(reply_to.get("routing_key"), str), f"replies go to {reply_exchange} only")


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)
