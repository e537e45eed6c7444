"""The parts of a gateway process that live as long as it does, started once a process and stopped with it."""

from __future__ import annotations

import os
import threading
from socket import gethostname

from django.conf import settings

from inference import selectors
from inference.dispatch import Dispatcher
from inference.fleet import Fleet
from inference.replies import Replies
from inference.supply import Supply
from inference.timings import Timings
from workers.protocol import GatewayStatus
from workers.settings import settings as shared_settings


class Gateway:
    """Owns every thread and connection of the gateway process."""

    def __init__(self) -> None:
        self.replies = Replies()
        self.dispatcher = Dispatcher(self.replies, selectors.version_to_use, settings.PIPELINE_QUEUE_REQUESTS_MAX)
        self.fleet = Fleet(self.replies)
        self._supply = Supply()
        self.timings = Timings()
        self.replies.tell_when_asked(self.status)

    def start(self) -> None:
        """Start all parts; none waits for the broker."""
        self.timings.start()
        self.replies.start()
        self._supply.start()
        self.dispatcher.start()

    def status(self) -> GatewayStatus:
        """How this process is; what it has buffered is written soon, for whoever asks."""
        self.timings.flush_soon()
        name = f"{gethostname()}-{os.getpid()}"
        held, most = self.dispatcher.requests_held, settings.PIPELINE_QUEUE_REQUESTS_MAX
        return GatewayStatus(name, held, most, self.timings.dropped)

    def stop(self) -> None:
        """Stop all parts; timings that are still in memory are written."""
        self.dispatcher.stop()
        self.fleet.stop()
        self._supply.stop()
        self.replies.stop()
        self.timings.stop()


class _EmbeddedGateway(Gateway):
    """The gateway with a worker in its own process."""

    def __init__(self) -> None:
        from workers.embedded import EmbeddedWorker

        super().__init__()
        self._worker = EmbeddedWorker()

    def start(self) -> None:
        super().start()
        self._worker.start()

    def stop(self) -> None:
        self._worker.stop()
        super().stop()


_lock = threading.Lock()
_gateway: tuple[int, Gateway] | None = None


def gateway() -> Gateway:
    """This process's gateway, started by the first caller: threads do not survive a fork, so it goes by PID."""
    global _gateway
    with _lock:
        if _gateway is None or _gateway[0] != os.getpid():
            started = _EmbeddedGateway() if shared_settings().embedded else Gateway()
            started.start()
            _gateway = os.getpid(), started
        return _gateway[1]


def start_gateway() -> None:
    """Start this process's gateway ahead of its first request."""
    gateway()


def stop_gateway() -> None:
    """Stop this process's gateway when it has one."""
    global _gateway
    with _lock:
        if _gateway is not None and _gateway[0] == os.getpid():
            _gateway[1].stop()
        _gateway = None
