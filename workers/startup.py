"""What makes the plain command `celery -A workers worker` right: name, no gossip, and catching up.

Celery imports this when a worker starts, in a process of its own or in the embedded gateway's.
"""

from __future__ import annotations

import logging
import sys
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

from celery import bootsteps, signals
from celery.utils.nodenames import default_nodename
from celery.worker import state

from workers.celery import app
from workers.log_limit import LimitedLines
from workers.logs import use_formatter
from workers.runtime.errors import KeyMismatchError
from workers.settings import settings
from workers.worker import Worker, set_worker, this_worker

logger = logging.getLogger(__name__)

#: How often a worker whose key is not the gateways' looks whether it is by now.
KEY_PAUSE_SECONDS = 5.0


def unique_name(given: str) -> str:
    """`given`, unless it is Celery's default, which a second worker on this host would have as well."""
    if given != default_nodename(""):
        return given
    return f"worker-{uuid4().hex[:8]}@{given.partition('@')[2]}"


@signals.celeryd_init.connect
def prepare_command(instance: Any, **_: Any) -> None:
    """Name the node before Celery uses its name; refuse a broker that no other process can reach."""
    if settings().embedded:
        sys.exit("BROKER_URL is not set: a worker needs the gateway's broker, e.g. amqp://user:password@host//")
    instance.hostname = unique_name(instance.hostname)
    if settings().log_format == "json":
        instance.quiet = True  # the banner is for a person


@signals.after_setup_logger.connect
@signals.after_setup_task_logger.connect
def format_log(logger: logging.Logger, **_: Any) -> None:
    """Write lines as the gateway does; Celery sets its handlers up in a process of its own."""
    use_formatter(logger)


@signals.worker_init.connect
def prepare_worker(sender: Any, **_: Any) -> None:
    """Load TensorFlow before the worker takes batches; talk to the gateway only, not to other workers."""
    sender.options.update(without_mingle=True, without_gossip=True, without_heartbeat=not settings().task_events)
    worker = Worker(app, sender.hostname, settings())
    try:
        worker.start()
    except Exception:
        # Celery logs what a signal's receiver raises and goes on; this worker could answer nothing.
        logger.critical("The worker cannot start.", exc_info=True)
        sys.exit(1)
    set_worker(worker)


@signals.worker_shutdown.connect
def stop_worker(**_: Any) -> None:
    """End what the worker owns."""
    this_worker().stop()


class LoadFirst(bootsteps.StartStopStep):
    """Load what is active before the worker connects.

    Batches for a network that is not loaded would wait here while another worker could answer them.
    """

    requires = ("celery.worker.components:Pool",)

    def start(self, parent: Any) -> None:
        """Called by Celery once, when the worker starts; one whose key is not the gateways' takes no batches."""
        while True:
            try:
                return this_worker().catch_up()
            except KeyMismatchError as error:
                logger.critical("Taking no batches, asking again every %g s: %s.", KEY_PAUSE_SECONDS, error)
            until = monotonic() + KEY_PAUSE_SECONDS
            while monotonic() < until:
                state.maybe_shutdown()
                sleep(0.1)


class CatchUp(bootsteps.StartStopStep):
    """After every (re)connect, load what became active while this worker was away."""

    requires = ("workers.consuming.commands:Control",)

    def start(self, parent: Any) -> None:
        """Called by Celery when the worker has connected."""
        this_worker().renew_connections()
        this_worker().catch_up_later()


class FollowPrefetch(bootsteps.StartStopStep):
    """After every (re)connect, take batches by the worker's own prefetch; see `workers.consuming.prefetch`."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, parent: Any) -> None:
        """Called by Celery when it has prepared to consume."""
        this_worker().consuming.prefetch.follow(parent)


# Celery tells of each task twice at INFO: two lines a batch.
for chatty in ("celery.worker.strategy", "celery.app.trace"):
    logging.getLogger(chatty).setLevel(logging.WARNING)

# What requests can have written, in the worker's own words and, of what nobody expected, in Celery's.
for of_batches in ("workers.tasks", "celery.app.trace", "kombu.pidbox", "celery.worker.pidbox"):
    logging.getLogger(of_batches).addFilter(LimitedLines())

app.steps["worker"].add(LoadFirst)
app.steps["consumer"].update({CatchUp, FollowPrefetch})
