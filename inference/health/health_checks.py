"""The health checks of a gateway process: the database, and the workers by way of the broker.

Both may be slow or away, and whoever looks often must not keep them busy: each check is a `Probe`.
"""

from __future__ import annotations

from dataclasses import dataclass

from inference.health.probe import Probe
from inference.versions import selectors
from inference.versions.asking import Answers
from inference.versions.fleet import Fleet
from workers.messages.measures import WorkerMeasures
from workers.messages.protocol import VersionRef
from workers.settings import settings as shared_settings

#: The most networks whose active versions /metrics tells, the latest uploaded ones: each is a time series.
ACTIVE_VERSIONS_MAX = 200


@dataclass(frozen=True)
class Served:
    """What is served: the default network's active version, and those of the other networks."""

    default: VersionRef | None
    others: list[VersionRef]


class HealthChecks:
    """Made in threads of their own, and only when somebody asks."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._default: VersionRef | None = None
        self._database = Probe("look at the database", self._read_served)
        self._workers = Probe("look at the workers", self._ask_workers)

    def served(self) -> Served:
        """What the database says is served.

        Raises:
            TimeoutError: the database has not answered within the status timeout.
            django.db.Error: it cannot be asked.
        """
        return self._database.answer(shared_settings().status_timeout_seconds)

    def workers(self) -> Answers[WorkerMeasures]:
        """What every worker measures.

        Raises:
            TimeoutError: the broker has not let itself be asked within the status timeout and half a second.
            BrokerUnavailableError: it cannot be reached.
        """
        return self._workers.answer(shared_settings().status_timeout_seconds + 0.5)

    def _read_served(self) -> Served:
        self._default = default = selectors.default_version()
        others = [each for each in selectors.active_versions(ACTIVE_VERSIONS_MAX) if each != default]
        return Served(default, others)

    def _ask_workers(self) -> Answers[WorkerMeasures]:
        return self._fleet.measures(self._default, shared_settings().status_timeout_seconds)
