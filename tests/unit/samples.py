"""Small pieces that many unit tests start from: a version, rows, and parts of a gateway that only pretend."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from inference.access.known_tokens import KnownTokens
from inference.dispatch.alarm import Alarm
from inference.dispatch.answer import Answer
from inference.dispatch.predict_input import PredictInput
from inference.dispatch.predictions import Predictions
from inference.dispatch.versions_to_use import VersionsToUse
from inference.dispatch.waiting import nobody_knows
from inference.errors import InferenceError
from inference.health.health_checks import Served
from inference.models import Activation, Network, Version
from inference.monitoring import catalogue
from inference.monitoring.recorder import Recorder
from inference.statistics.timing import Timing
from inference.versions import selectors, services
from inference.versions.asking import Answers
from inference.versions.fleet import Fleet, Hear
from inference.versions.switch import VersionSwitch
from inference.versions.uploads import store_version
from workers.measuring.measured import Measured
from workers.messages.arrays import to_tensor
from workers.messages.details import LoadedWeights, WorkerDetails
from workers.messages.measures import WorkerMeasures
from workers.messages.message import Message
from workers.messages.protocol import GatewayStatus, PredictReply, Report, VersionRef, WorkerStatus
from workers.messages.tensors import ONLY_INPUT, Tensor, Tensors

NN_ID = "000127a35b5f462b8ec68fb4d905ac36"
OTHER_NN_ID = "0d3c5dffa4374c77a554ed38c9c50296"
DIGEST = "a" * 64
OTHER_DIGEST = "c" * 64
ARCHITECTURE = "b" * 64
VERSION = VersionRef(NN_ID, 1, DIGEST, ARCHITECTURE)
NEXT_VERSION = VersionRef(NN_ID, 2, OTHER_DIGEST, ARCHITECTURE)


def tensor(*rows: list[float]) -> Tensor:
    """Rows of float32."""
    return to_tensor(np.array(rows, np.float32))


def only_input(*rows: list[float]) -> Tensors:
    """Rows of float32 for a network of one input."""
    return {ONLY_INPUT: tensor(*rows)}


def asking(*rows: list[float], nn_id: str | None = None, version: int | None = None) -> PredictInput:
    """A request for rows of float32."""
    return PredictInput(only_input(*rows), len(rows) == 1, nn_id, version)


def reply_to(inputs: Tensors, worker: str = "worker-1@here") -> dict[str, Any]:
    """A Celery result message with one output an input: the first number of each row."""
    outputs = {f"first of {name}": _first_numbers(rows) for name, rows in inputs.items()}
    return {"status": "SUCCESS", "result": PredictReply(worker, outputs, 0.5, 0.7).to_json()}


def _first_numbers(rows: Tensor) -> Tensor:
    firsts = np.frombuffer(rows.data, rows.dtype).reshape(rows.shape[0], -1)[:, :1]
    return to_tensor(np.ascontiguousarray(firsts))


def worker_status(worker: str = "worker-1@here") -> WorkerStatus:
    """What a worker that holds VERSION tells."""
    return WorkerStatus(worker, ["192.0.2.7"], NN_ID, 1, 0.7, 0.5, 3, worker_details())


def worker_details() -> WorkerDetails:
    """Those of a worker that holds VERSION."""
    programs = {"pipeline": "0.1.0", "python": "3.11.2", "keras": "3.15.1", "tensorflow": "2.21.0"}
    return WorkerDetails(programs, 600 * 1024**2, 5000, 1024**3, 1, [LoadedWeights(NN_ID, DIGEST, 5000)])


def worker_measures(worker: str = "worker-1@here", version: VersionRef | None = VERSION) -> WorkerMeasures:
    """What a worker measures that answered two batches, of 3 requests and 5 rows, in 0.3 and 40 ms."""
    measured = Measured()
    measured.add_batch(2, 4, 0.3)
    measured.add_batch(1, 1, 40.0)
    return WorkerMeasures(
        worker=worker,
        nn_id=version.nn_id if version else None,
        number=version.number if version else None,
        counts=measured.counts(),
        cpu_seconds=12.5,
        details=worker_details(),
    )


def loaded(worker: str) -> Report:
    """The report of a worker that loaded what it was asked to."""
    return Report(worker, loaded=True, trace="", seconds=0.25)


def failed(worker: str, trace: str = "Traceback (most recent call last):\nWeightsError: no") -> Report:
    """The report of a worker that could not."""
    return Report(worker, loaded=False, trace=trace, seconds=0.25)


def activated(version: Version, kind: Activation.Kind = Activation.Kind.UPLOAD) -> Activation:
    """A stored version made active, as it is when one worker has loaded it."""
    activation = services.begin(version, kind, "192.0.2.1")
    services.record_reports(activation, [loaded("w1")])
    services.commit(activation)
    return activation


def failed_activation(version: Version, *reports: Report) -> Activation:
    """A stored version that was not made active: these are the workers' reports, or one worker failed."""
    activation = services.begin(version, Activation.Kind.UPLOAD, "192.0.2.1")
    services.record_reports(activation, reports or [failed("w1")])
    services.close(activation, Activation.Outcome.FAILED, "w1: WeightsError: no")
    return activation


def two_versions() -> None:
    """Versions 1 and 2 of NN_ID, the second active."""
    for content in (b"one", b"two"):
        activated(store_version(NN_ID, "weights.b64", content, b"{}"))


def active_number() -> int:
    """The number of the only network's active version."""
    active = Network.objects.get().active
    assert active
    return active.number


def answer_with(
    outputs: dict[str, Any], batch_rows: int = 0, queue_ms: float = 0.1, inference_ms: float = 0.2
) -> Answer:
    """The answer to a request whose own rows these are, the last ones of a batch that has so many, or no others."""
    rows = len(next(iter(outputs.values())))
    others = max(batch_rows - rows, 0)
    batch = {name: np.concatenate([np.ones((others, *own.shape[1:]), own.dtype), own]) for name, own in outputs.items()}
    return Answer(VERSION, batch, others, rows, "worker-1@here", others + rows, queue_ms, inference_ms)


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

    @property
    def switch(self) -> VersionSwitch:
        return VersionSwitch(cast(Fleet, self.fleet))

    def status(self) -> GatewayStatus:
        return self.own_status
