"""The page of workers: those that are connected, what they run and hold, and those that have gone."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from inference.admin.pages import last_day, show
from inference.admin.permissions import VIEW_WORKERS, require
from inference.admin.trouble import Trouble, trouble_of
from inference.errors import BrokerUnavailableError
from inference.gateway import gateway
from inference.models import Version
from inference.statistics.summary import EMPTY, Summary, by_worker
from inference.versions import selectors
from inference.versions.fleet_history import gone_workers
from workers.messages.protocol import WorkerStatus
from workers.settings import settings as shared_settings

#: Loaded versions that a worker's line names; all are counted.
NAMED_MAX = 20


@dataclass(frozen=True)
class LoadedVersion:
    """A version in a worker's memory; `number` is None when the database has none with these bytes."""

    nn_id: str
    number: int | None
    size_bytes: int


@dataclass(frozen=True)
class WorkerRow:
    """A connected worker: what it tells, the versions that it holds, its requests of the last day."""

    status: WorkerStatus
    loaded: list[LoadedVersion]
    traffic: Summary

    @property
    def left_out(self) -> int:
        """How many loaded versions are not named."""
        return self.status.details.loaded_count - len(self.loaded) if self.status.details else 0


@require_safe
def workers_page(request: HttpRequest) -> HttpResponse:
    """Show them, as soon as the last connected one has answered."""
    require(request, VIEW_WORKERS)
    statuses, silent, trouble = _ask()
    traffic = by_worker(*last_day())
    numbers = _version_numbers(statuses)
    rows = [_row(status, numbers, traffic.get(status.worker, EMPTY)) for status in statuses]
    return show(
        request,
        "workers.html",
        "Workers",
        rows=rows,
        silent=silent,
        trouble=trouble,
        skew=_differ(statuses),
        gone=gone_workers({status.worker for status in statuses}),
    )


def _ask() -> tuple[list[WorkerStatus], int, Trouble | None]:
    try:
        answer = gateway().fleet.status(selectors.default_version(), shared_settings().status_timeout_seconds)
    except BrokerUnavailableError as error:
        return [], 0, trouble_of(error)
    return answer.messages, answer.silent, None


def _row(status: WorkerStatus, numbers: dict[tuple[str, str], int], traffic: Summary) -> WorkerRow:
    held = reversed(status.details.loaded[-NAMED_MAX:]) if status.details else ()
    loaded = [LoadedVersion(one.nn_id, numbers.get((one.nn_id, one.digest)), one.size_bytes) for one in held]
    return WorkerRow(status, loaded, traffic)


def _version_numbers(statuses: list[WorkerStatus]) -> dict[tuple[str, str], int]:
    """The number of each version that a line names, by its network and digest; one query for all."""
    named = {(one.nn_id, one.digest) for each in statuses if each.details for one in each.details.loaded[-NAMED_MAX:]}
    which = Q(network_id__in={nn_id for nn_id, _ in named}, weights_id__in={digest for _, digest in named})
    rows = Version.objects.filter(which).order_by("number").values_list("network_id", "weights_id", "number")
    return {(nn_id, digest): number for nn_id, digest, number in rows}


def _differ(statuses: list[WorkerStatus]) -> bool:
    """Whether the workers do not all compute with the same programs."""
    return len({tuple(sorted(each.details.programs.items())) for each in statuses if each.details}) > 1
