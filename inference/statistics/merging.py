"""The rows that several processes wrote of one hour become one: a year of hours is small."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count

from inference.models.rollup import HOUR_SECONDS, Rollup
from inference.statistics.histogram import sum_of
from inference.statistics.tallies import COLUMNS

#: An hour's rows are final by then, also those of a process that could not reach the database for most of a day.
MERGED_AFTER = timedelta(days=1)
#: So long they are looked for: not through the whole year each time.
LOOKED_FOR = timedelta(days=3)
#: Of so many networks, versions and workers at once, which takes some milliseconds.
STEP_KEYS = 5

_KEY = ("start", "nn_id", "version", "worker")


def merge_hours(now: datetime) -> int:
    """Merge some hours' rows; returns how many went into others."""
    hours = Rollup.objects.filter(
        period_seconds=HOUR_SECONDS, start__gte=now - MERGED_AFTER - LOOKED_FOR, start__lt=now - MERGED_AFTER
    )
    several = hours.values(*_KEY).annotate(count=Count("id")).filter(count__gt=1).order_by(*_KEY)
    return sum(_merge(key) for key in list(several.values(*_KEY)[:STEP_KEYS]))


@transaction.atomic
def _merge(key: dict[str, object]) -> int:
    """Add all rows of a key to the first. Who waits here for another process's lock finds what that one left."""
    of_key = Rollup.objects.filter(period_seconds=HOUR_SECONDS, **key)
    rows = list(of_key.select_for_update().order_by("id"))
    if len(rows) < 2:
        return 0
    first, *others = rows
    for name in COLUMNS:
        if name != "histogram":
            setattr(first, name, sum(getattr(row, name) for row in rows))
    first.histogram = sum_of([row.histogram for row in rows])
    # It is no longer the row that its process may have in memory.
    first.writer = secrets.token_hex(8)
    first.save()
    of_key.filter(id__in=[row.id for row in others]).delete()
    return len(others)
