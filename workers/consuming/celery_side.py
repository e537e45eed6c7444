"""What Celery's own classes find of this worker: Celery makes them itself, and hands them nothing of ours."""

from __future__ import annotations

from celery import Celery

from workers.broker.sender import Sender
from workers.consuming.prefetch import Prefetch
from workers.consuming.redelivery import Redelivery
from workers.consuming.reporter import Reporter


class CelerySide:
    """How many batches this worker takes, what becomes of those that come back, and what it answers by."""

    def __init__(self, app: Celery, name: str) -> None:
        self.name = name
        self.prefetch = Prefetch()
        self.sender = Sender(app)
        self.reporter = Reporter(name, self.sender)
        self.redelivery = Redelivery(app, self.prefetch, self.reporter.tell_refused)

    def renew_connections(self) -> None:
        """After a reconnect: other connections may lead nowhere without anybody knowing, and are opened anew."""
        self.sender.renew()
        self.redelivery.renew()

    def stop(self) -> None:
        """End the threads and close the connections; what still waits is not sent."""
        self.redelivery.stop()
        self.reporter.stop()
        self.sender.close()


_side: CelerySide | None = None


def set_celery_side(side: CelerySide | None) -> None:
    """Make `side` this process's own."""
    global _side
    _side = side


def celery_side() -> CelerySide:
    """That of this process's worker.

    Raises:
        RuntimeError: this process runs none.
    """
    if _side is None:
        raise RuntimeError("this process runs no worker: start one with `celery -A workers worker`")
    return _side
