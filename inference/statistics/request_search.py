"""Finding requests among millions: what may be asked for, and a query that reads a bounded part of the table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL

from inference.models import PredictionTiming
from workers.messages.protocol import is_nn_id

#: Where no index leads to what is asked for, so many are looked through: the latest ones of the time asked for.
LOOKED_THROUGH_MAX = 100_000
#: Of those that were not answered, fewer: they lie far apart, and each may have to be fetched from the disk.
NOT_ANSWERED_MAX = 10_000
NOT_ANSWERED = "not_answered"
LATEST, SLOWEST = "latest", "slowest"


@dataclass(frozen=True)
class RequestSearch:
    """What is asked for; empty and None are everything. `nn_id` may be the beginning of a network's name."""

    nn_id: str = ""
    version: int | None = None
    worker: str = ""
    outcome: str = ""
    since: datetime | None = None
    until: datetime | None = None
    slower_than_ms: float | None = None
    sort: str = LATEST

    @property
    def bounded(self) -> bool:
        """Whether only the latest `looked_through` of the time asked for are looked through.

        Not where an index leads straight to the rows: the time alone, and the few that were not answered.
        """
        named = self.nn_id or self.version is not None or self.worker or self.slower_than_ms is not None
        return bool(named or self.outcome not in ("", NOT_ANSWERED) or self.sort == SLOWEST)

    @property
    def not_answered(self) -> bool:
        """Whether only requests are asked for that were not answered, however they ended."""
        return self.outcome not in ("", PredictionTiming.Outcome.ANSWERED)

    @property
    def looked_through(self) -> int:
        """How many are looked through at most when the search is `bounded`."""
        return NOT_ANSWERED_MAX if self.not_answered else LOOKED_THROUGH_MAX

    def requests(self) -> QuerySet[PredictionTiming]:
        """The requests, in the order asked for."""
        found = self._in_time(PredictionTiming.objects.all())
        if self.bounded:
            found = _latest(found, self.looked_through)
        wanted: dict[str, Any] = {"worker": self.worker, "version": self.version, "total_ms__gte": self.slower_than_ms}
        wanted["outcome"] = self.outcome if self.outcome != NOT_ANSWERED else ""
        wanted["nn_id" if is_nn_id(self.nn_id) else "nn_id__startswith"] = self.nn_id
        found = found.filter(**{name: value for name, value in wanted.items() if value not in ("", None)})
        return found.order_by("-total_ms", "-id") if self.sort == SLOWEST else found.order_by("-at", "-id")

    def _in_time(self, requests: QuerySet[PredictionTiming]) -> QuerySet[PredictionTiming]:
        if self.since is not None:
            requests = requests.filter(at__gte=self.since)
        if self.until is not None:
            requests = requests.filter(at__lt=self.until)
        if self.not_answered:
            # As the index has it, not as a parameter: SQLite would not see that the index holds all of them.
            requests = requests.filter(RawSQL("NOT (outcome = 'answered')", (), output_field=BooleanField()))
        return requests


def _latest(requests: QuerySet[PredictionTiming], count: int) -> QuerySet[PredictionTiming]:
    """The latest ones: an index tells when the last of them was, and where the rest begins."""
    nth = requests.order_by("-at").values_list("at", flat=True)[count : count + 1]
    before = next(iter(nth), None)
    return requests if before is None else requests.filter(at__gt=before)
