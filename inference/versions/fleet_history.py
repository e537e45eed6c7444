"""The workers that were seen and are not there any more: from the requests of the last day, and from late reports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, QuerySet
from django.utils import timezone

from inference.models import Activation, WorkerReport
from inference.models.rollup import EVERY_NETWORK, MINUTE_SECONDS, Rollup
from inference.versions.services import SILENT

#: Requests are looked through for so long, and the reports on so many activations: neither grows with the years.
REQUESTS_DAYS = 1
ACTIVATIONS_MAX = 500
#: A fleet whose workers' names change at every start would have no end.
GONE_MAX = 100


@dataclass(frozen=True)
class GoneWorker:
    """A worker that is not connected; the times are none where nothing tells of them."""

    name: str
    answered_at: datetime | None
    reported_at: datetime | None

    @property
    def seen_at(self) -> datetime:
        """When it was there last."""
        return max(at for at in (self.answered_at, self.reported_at) if at is not None)


def gone_workers(connected: set[str]) -> list[GoneWorker]:
    """The workers that are not `connected`, the last seen first."""
    since = timezone.now() - timedelta(days=REQUESTS_DAYS)
    minutes = Rollup.objects.filter(nn_id=EVERY_NETWORK, period_seconds=MINUTE_SECONDS, start__gte=since, worker__gt="")
    answered = dict(minutes.values_list("worker").annotate(last=Max("start")))
    reported = dict(_recent_reports().values_list("worker").annotate(last=Max("reported_at")).order_by())
    names = (answered.keys() | reported.keys()) - connected - {SILENT}
    gone = [GoneWorker(name, answered.get(name), reported.get(name)) for name in names]
    return sorted(gone, key=lambda worker: worker.seen_at, reverse=True)[:GONE_MAX]


def _recent_reports() -> QuerySet[WorkerReport]:
    latest = Activation.objects.order_by("-id").values_list("id", flat=True)[:ACTIVATIONS_MAX]
    return WorkerReport.objects.filter(activation_id__in=list(latest))
