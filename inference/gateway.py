"""The parts of a gateway process that live as long as it does, started once a process and stopped with it."""

from __future__ import annotations

import logging
import os
import threading
from asyncio import AbstractEventLoop, run_coroutine_threadsafe
from socket import gethostname

from django.conf import settings

from inference.access.known_tokens import KnownTokens
from inference.databases.waiting import bound_waits
from inference.dispatch.answer import Answer
from inference.dispatch.dispatcher import Dispatcher
from inference.dispatch.news import DELETED_NEWS, SWITCHED_NEWS
from inference.dispatch.predict_input import PredictInput
from inference.dispatch.predictions import Predictions
from inference.dispatch.replies import Replies
from inference.dispatch.versions_to_use import VersionsToUse
from inference.errors import BUSY_MESSAGE, BusyError
from inference.health.health_checks import HealthChecks
from inference.monitoring import catalogue
from inference.monitoring.catalogue import Metric
from inference.monitoring.recorder import Recorder
from inference.statistics.timings import Timings
from inference.versions import selectors
from inference.versions.fleet import Fleet
from inference.versions.supply import Supply
from inference.versions.switch import VersionSwitch
from workers.measuring.usage import cpu_seconds, memory_bytes
from workers.messages.protocol import GatewayStatus
from workers.messages.refusals import refusals
from workers.settings import settings as shared_settings

logger = logging.getLogger(__name__)

#: How much longer than a prediction may take it is waited for in another thread.
LOOP_SECONDS = 5.0


class Gateway:
    """Owns every thread and connection of the gateway process."""

    def __init__(self) -> None:
        self.replies = Replies()
        self.versions = VersionsToUse(selectors.version_to_use)
        self.dispatcher = Dispatcher(self.replies, self.versions.version_to_use, settings.PIPELINE_QUEUE_REQUESTS_MAX)
        self.fleet = Fleet(self.replies)
        self._supply = Supply()
        self.tokens = KnownTokens()
        self.timings = Timings(also_write=self.tokens.write_uses)
        self.predictions = Predictions(self.dispatcher, self.replies, self.versions, self.timings.add)
        self.switch = VersionSwitch(self.fleet)
        self.recorder = Recorder(self._totals, self._gauges)
        self.health = HealthChecks(self.fleet)
        self._connects = 0
        self._loop: AbstractEventLoop | None = None
        self.replies.tell_when_asked(self.status)
        self.replies.call_before_connected(self.versions.forget)
        self.replies.hear(SWITCHED_NEWS, self.versions.hear_of_switch)
        self.replies.hear(DELETED_NEWS, self.versions.hear_of_deletion)
        self.replies.call_when_connected(self._count_connect)

    def start(self, loop: AbstractEventLoop) -> None:
        """Start all parts; none waits for the broker. Predictions are asked for in `loop`."""
        self._loop = loop
        bound_waits()
        self.recorder.start()
        self.timings.start()
        self.tokens.start()
        self.replies.start()
        self._supply.start()
        self.dispatcher.start(loop)

    def predict_and_wait(self, asked: PredictInput) -> Answer:
        """The answer to what is asked for, waited for in another thread than the loop's.

        Raises:
            InferenceError: it has none; see `Predictions.predict`, which bounds the time.
        """
        if self._loop is None:
            raise BusyError(BUSY_MESSAGE)
        waiting = run_coroutine_threadsafe(self.predictions.predict(asked), self._loop)
        try:
            return waiting.result(settings.PIPELINE_REQUEST_TIMEOUT + LOOP_SECONDS)
        except TimeoutError as error:  # not even the loop has come to it
            waiting.cancel()
            raise BusyError(BUSY_MESSAGE) from error

    @property
    def ready(self) -> bool:
        """Whether what this process itself needs to answer predictions has started."""
        return True

    def status(self) -> GatewayStatus:
        """How this process is; what it has buffered is written soon, for whoever asks."""
        self.timings.flush_soon()
        name = f"{gethostname()}-{os.getpid()}"
        dispatcher = self.dispatcher
        return GatewayStatus(name, dispatcher.admission.held, dispatcher.admission.most, self.timings.dropped)

    def _count_connect(self) -> None:
        self._connects += 1
        logger.info("Connected to the broker.")

    def _totals(self) -> dict[Metric, float]:
        """What the parts have counted since this process started."""
        return {
            catalogue.TIMINGS_DROPPED: self.timings.dropped,
            catalogue.BATCHES_QUARANTINED: self.dispatcher.batches_quarantined,
            catalogue.BROKER_RECONNECTS: max(0, self._connects - 1),
            catalogue.MESSAGES_REFUSED: refusals.count,
            catalogue.GATEWAY_CPU: cpu_seconds(),
        }

    def _gauges(self) -> dict[Metric, float]:
        """How this process is now."""
        return {
            catalogue.GATEWAY_PROCESSES: 1,
            catalogue.GATEWAY_MEMORY: memory_bytes(),
            catalogue.REQUESTS_HELD: self.dispatcher.admission.held,
            catalogue.REQUESTS_MAX: self.dispatcher.admission.most,
            catalogue.BATCHES_IN_FLIGHT: self.dispatcher.batches_in_flight,
            catalogue.BROKER_CONNECTED: self.replies.connected,
        }

    def stop(self) -> None:
        """Stop all parts; timings that are still in memory are written."""
        self.dispatcher.stop()
        self.versions.stop()
        self.fleet.stop()
        self._supply.stop()
        self.replies.stop()
        self.tokens.stop()
        self.timings.stop()
        self.recorder.stop()


class _EmbeddedGateway(Gateway):
    """The gateway with a worker in its own process."""

    def __init__(self) -> None:
        from workers.embedded import EmbeddedWorker

        super().__init__()
        self._worker = EmbeddedWorker()

    def start(self, loop: AbstractEventLoop) -> None:
        super().start(loop)
        self._worker.start()

    @property
    def ready(self) -> bool:
        return self._worker.wait_ready(0)

    def stop(self) -> None:
        self._worker.stop()
        super().stop()


_lock = threading.Lock()
_gateway: tuple[int, Gateway] | None = None


def gateway() -> Gateway:
    """This process's gateway, which has been started: threads do not survive a fork, so it goes by PID.

    Raises:
        RuntimeError: it has not been.
    """
    if _gateway is None or _gateway[0] != os.getpid():
        raise RuntimeError("this process's gateway has not been started: that is for the server's lifespan")
    return _gateway[1]


def start_gateway(loop: AbstractEventLoop) -> None:
    """Start this process's gateway, before its first request."""
    global _gateway
    with _lock:
        started = _EmbeddedGateway() if shared_settings().embedded else Gateway()
        started.start(loop)
        _gateway = os.getpid(), started


def stop_gateway() -> None:
    """Stop this process's gateway when it has one."""
    global _gateway
    with _lock:
        if _gateway is not None and _gateway[0] == os.getpid():
            _gateway[1].stop()
        _gateway = None
