"""The workers and gateway processes that are connected, as a page sees them that must not wait for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from inference.dashboard.last_answer import LastAnswer
from inference.errors import BrokerUnavailableError
from inference.gateway import Gateway
from inference.versions.asking import Answers
from workers.messages.protocol import GatewayStatus, VersionRef, WorkerStatus
from workers.settings import settings as shared_settings

#: Beyond the status timeout, in which a hung worker is found silent.
MARGIN_SECONDS = 0.5
#: A queue this full is near its limit.
NEAR_LIMIT = 0.8


@dataclass(frozen=True)
class Queue:
    """How many requests the gateway processes hold, and may."""

    gateways: tuple[GatewayStatus, ...]
    #: Processes that are connected, and did not tell.
    silent: int = 0

    @property
    def held(self) -> int:
        """Requests that wait for their answer."""
        return sum(each.requests_held for each in self.gateways)

    @property
    def limit(self) -> int:
        """As many may wait."""
        return sum(each.requests_max for each in self.gateways)

    @property
    def near_limit(self) -> float:
        """From so many on it is near its limit."""
        return NEAR_LIMIT * self.limit

    @property
    def fullest(self) -> float:
        """How full the fullest process is: it refuses requests however empty the others are."""
        return max((each.requests_held / each.requests_max for each in self.gateways if each.requests_max), default=0.0)

    @property
    def timings_dropped(self) -> int:
        """Timings that were not stored since the processes started."""
        return sum(each.timings_dropped for each in self.gateways)


@dataclass(frozen=True)
class FleetSeen:
    """What the workers told; `default` is the version that they were asked about. `at` is None: they are not known."""

    connected: bool
    queue: Queue
    workers: tuple[WorkerStatus, ...] = ()
    silent: int = 0
    default: VersionRef | None = None
    at: datetime | None = None

    @property
    def count(self) -> int:
        """Connected workers."""
        return len(self.workers) + self.silent

    @property
    def mixed(self) -> bool:
        """Whether the workers do not all compute with the same programs."""
        return len({tuple(sorted(each.details.programs.items())) for each in self.workers if each.details}) > 1


class FleetView:
    """Asks workers and gateways, at the same time, and remembers what they answered last."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._default: VersionRef | None = None
        seconds = shared_settings().status_timeout_seconds + MARGIN_SECONDS
        self._workers = LastAnswer("look at the workers", self._ask_workers, seconds)
        self._gateways = LastAnswer("look at the gateways", self._ask_gateways, seconds)

    def look(self, default: VersionRef | None) -> FleetSeen:
        """What is known of them now; `default` is the default network's active version."""
        self._default = default
        own = self._gateway.status()
        unknown = FleetSeen(False, Queue((own,)))
        if not self._gateway.replies.connected:
            return unknown
        try:
            self._gateways.begin()
            workers, gateways = self._workers.answer(), self._gateways.answer()
        except BrokerUnavailableError:
            return unknown
        others = gateways.value if gateways else Answers[GatewayStatus]([], 0)
        queue = Queue(tuple({each.gateway: each for each in (*others.messages, own)}.values()), others.silent)
        if workers is None:
            return FleetSeen(True, queue)
        answers, asked_about = workers.value
        return FleetSeen(True, queue, tuple(answers.messages), answers.silent, asked_about, workers.at)

    def _ask_workers(self) -> tuple[Answers[WorkerStatus], VersionRef | None]:
        default = self._default
        return self._gateway.fleet.status(default, shared_settings().status_timeout_seconds), default

    def _ask_gateways(self) -> Answers[GatewayStatus]:
        return self._gateway.fleet.gateways(shared_settings().status_timeout_seconds)
