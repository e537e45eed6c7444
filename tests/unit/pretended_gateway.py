"""Parts of a gateway process that only pretend: without threads, a broker or workers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

from inference.access.known_tokens import KnownTokens
from inference.dispatch.alarm import Alarm
from inference.dispatch.answer import Answer
from inference.dispatch.predict_input import PredictInput
from inference.dispatch.predictions import Predictions
from inference.dispatch.versions_to_use import VersionsToUse
from inference.dispatch.waiting import nobody_knows
from inference.errors import InferenceError
from inference.health.health_checks import Served
from inference.monitoring import catalogue
from inference.monitoring.recorder import Recorder
from inference.statistics.timing import Timing
from inference.versions import selectors
from inference.versions.asking import Answers
from inference.versions.fleet import Fleet, Hear
from inference.versions.switch import VersionSwitch
from tests.unit.samples import VERSION, worker_measures
from workers.messages.measures import WorkerMeasures
from workers.messages.message import Message
from workers.messages.protocol import GatewayStatus, Report, VersionRef, WorkerStatus


class PretendedReplies:
    """Where answers arrive, without a thread and without a broker."""

    def __init__(self) -> None:
        self.queue = "replies.1"
        self.receivers: dict[str, Callable[[Any], None]] = {}
        self.connected = True
        self.alarm = Alarm()
        self._on_connected: list[Callable[[], None]] = []
        self._before_connected: list[Callable[[], None]] = []
        self.news: dict[str, Callable[[Any], None]] = {}

    def hear(self, kind: str, receiver: Callable[[Any], None]) -> None:
        self.news[kind] = receiver

    def expect(self, ticket: str, receiver: Callable[[Any], None]) -> None:
        self.receivers[ticket] = receiver

    def forget(self, ticket: str) -> None:
        self.receivers.pop(ticket, None)

    def wait_connected(self, timeout_seconds: float) -> bool:
        return self.connected

    def was_mine(self, queue: str) -> bool:
        return queue.startswith("replies.1")

    def call_before_connected(self, callback: Callable[[], None]) -> None:
        self._before_connected.append(callback)

    def call_when_connected(self, callback: Callable[[], None]) -> None:
        self._on_connected.append(callback)

    def deliver(self, ticket: str, data: Any) -> None:
        """A message arrives, as it would from a worker."""
        if ticket in self.receivers:
            self.receivers[ticket](data)

    def reconnect(self) -> None:
        self.queue += "'"
        for callback in self._before_connected + self._on_connected:
            callback()


class PretendedDispatcher:
    """Answers every request with what it was told to, or when it was told nothing, does not in time."""

    def __init__(self) -> None:
        self.outcome: Answer | InferenceError | None = None
        self.submitted: list[tuple[PredictInput, float]] = []
        #: What tells of each request whether its client has ended its side.
        self.clients: list[Callable[[], bool]] = []
        self.admission = SimpleNamespace(full=False)

    async def predict(
        self, asked: PredictInput, seconds: float, client_has_ended: Callable[[], bool] = nobody_knows
    ) -> Answer:
        self.submitted.append((asked, seconds))
        self.clients.append(client_has_ended)
        if isinstance(self.outcome, Answer):
            return self.outcome
        raise self.outcome or TimeoutError


class PretendedFleet:
    """Workers whose answers are known beforehand."""

    def __init__(self) -> None:
        self.reports: Answers[Report] | InferenceError = Answers([], 0)
        self.statuses: Answers[WorkerStatus] | InferenceError = Answers([], 0)
        self.gateway_statuses = Answers([GatewayStatus("gateway-1", 0, 256)], 0)
        #: What is heard while others are waited for: reports, and how many workers there are.
        self.early: list[tuple[list[Report], int]] = []
        self.loads: list[VersionRef] = []
        self.defaults: list[VersionRef | None] = []
        #: What the gateways were told.
        self.told: list[Message] = []

    def tell_gateways(self, kind: str, news: Message) -> None:
        self.told.append(news)

    def load(self, version: VersionRef, timeout_seconds: float, hear: Hear = lambda *_: None) -> Answers[Report]:
        self.loads.append(version)
        for early in self.early:
            hear(*early)
        if isinstance(self.reports, InferenceError):
            raise self.reports
        return self.reports

    def gateways(self, timeout_seconds: float) -> Answers[GatewayStatus]:
        return self.gateway_statuses

    def status(self, default: VersionRef | None, timeout_seconds: float) -> Answers[WorkerStatus]:
        self.defaults.append(default)
        if isinstance(self.statuses, InferenceError):
            raise self.statuses
        return self.statuses


class PretendedTimings:
    """Keeps the timings in a list."""

    def __init__(self) -> None:
        self.noted: list[Timing] = []

    def add(self, timing: Timing) -> None:
        self.noted.append(timing)

    def flush(self) -> None:
        pass


class PretendedHealth:
    """Sees what it is told to, or raises it."""

    def __init__(self) -> None:
        self.what_is_served: Served | Exception = Served(VERSION, [])
        self.what_workers_tell: Answers[WorkerMeasures] | Exception = Answers([worker_measures()], 0)

    def served(self) -> Served:
        if isinstance(self.what_is_served, Exception):
            raise self.what_is_served
        return self.what_is_served

    def workers(self) -> Answers[WorkerMeasures]:
        if isinstance(self.what_workers_tell, Exception):
            raise self.what_workers_tell
        return self.what_workers_tell


class PretendedGateway:
    """A gateway process's parts, none of which does anything."""

    def __init__(self) -> None:
        self.dispatcher = PretendedDispatcher()
        self.fleet = PretendedFleet()
        self.timings = PretendedTimings()
        self.replies = PretendedReplies()
        self.health = PretendedHealth()
        self.recorder = Recorder(dict, lambda: {catalogue.REQUESTS_HELD: 3})
        self.tokens = KnownTokens()
        self.own_status = GatewayStatus("one", 1, 256)
        self.versions = VersionsToUse(selectors.version_to_use)

    @property
    def predictions(self) -> Predictions:
        parts: Any = self
        return Predictions(parts.dispatcher, parts.replies, parts.versions, parts.timings.add)

    def predict_and_wait(self, asked: PredictInput) -> Answer:
        return asyncio.run(self.predictions.predict(asked))

    @property
    def switch(self) -> VersionSwitch:
        return VersionSwitch(cast(Fleet, self.fleet))

    def status(self) -> GatewayStatus:
        return self.own_status
