"""What the settings no longer keep goes, in steps that are short enough for everybody else who writes.

Any number of processes may take steps at the same time: each takes other rows, or finds that they have gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import QuerySet

from inference.models import PredictionTiming
from inference.models.rollup import HOUR_SECONDS, MINUTE_SECONDS, Rollup
from inference.statistics.merging import merge_hours

M = TypeVar("M", bound=models.Model)

#: So many rows go at once, which takes some milliseconds.
STEP_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Pruned:
    """What went: timings and rollups, and those of them that went into others."""

    timings: int = 0
    rollups: int = 0
    merged: int = 0

    def __add__(self, other: Pruned) -> Pruned:
        return Pruned(self.timings + other.timings, self.rollups + other.rollups, self.merged + other.merged)

    def __bool__(self) -> bool:
        return self != Pruned()


def prune_step(now: datetime) -> Pruned:
    """Take one short step; what it returns is false when there was nothing to do."""
    return (
        Pruned(timings=_remove_too_many_timings())
        or Pruned(timings=_remove(_old_timings(now)))
        or Pruned(rollups=_remove(_old_rollups(now, MINUTE_SECONDS, settings.PIPELINE_ROLLUPS_MINUTE_DAYS)))
        or Pruned(rollups=_remove(_old_rollups(now, HOUR_SECONDS, settings.PIPELINE_ROLLUPS_DAYS)))
        or Pruned(merged=merge_hours(now))
    )


def _remove_too_many_timings() -> int:
    """By a range of ids, which is fast. They are never used twice, so those that stay are not too many."""
    first, last = (PredictionTiming.objects.order_by(by).values_list("id", flat=True).first() for by in ("id", "-id"))
    if first is None or last is None or first > last - settings.PIPELINE_TIMINGS_MAX_ROWS:
        return 0
    until = min(first + STEP_ROWS - 1, last - settings.PIPELINE_TIMINGS_MAX_ROWS)
    return PredictionTiming.objects.filter(id__gte=first, id__lte=until).delete()[0]


def _old_timings(now: datetime) -> QuerySet[PredictionTiming]:
    before = now - timedelta(days=settings.PIPELINE_TIMINGS_DAYS)
    return PredictionTiming.objects.filter(at__lt=before).order_by("at")


def _old_rollups(now: datetime, period_seconds: int, days: float) -> QuerySet[Rollup]:
    return Rollup.objects.filter(period_seconds=period_seconds, start__lt=now - timedelta(days=days)).order_by("start")


def _remove(rows: QuerySet[M]) -> int:
    """Delete the first of the rows, without waiting for those that another process is deleting."""
    some = rows.values_list("pk", flat=True)[:STEP_ROWS]
    if not connection.features.has_select_for_update:
        # Looking for them holds no lock, and most of the time there are none.
        return _delete(rows, list(some))
    with transaction.atomic():
        return _delete(rows, list(some.select_for_update(skip_locked=True)))


def _delete(rows: QuerySet[M], ids: list[int]) -> int:
    return rows.model._default_manager.filter(pk__in=ids).delete()[0] if ids else 0
