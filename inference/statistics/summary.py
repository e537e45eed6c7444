"""What the requests of any range of time came to, by step of time, version or worker; read from the rollups.

Ranges begin and end with whole minutes, or whole hours where the minutes are no longer kept. Times and rows are of the
requests that were answered; the others are errors.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isnan
from typing import Any

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from inference.models.rollup import EVERY_NETWORK, HOUR_SECONDS, MINUTE_SECONDS, Rollup
from inference.statistics.histogram import add_up, percentiles

SHARES = (0.50, 0.95, 0.99)
#: No chart shows more, and each takes some kilobytes.
STEPS_MAX = 2000
_NUMBERS = ("answered", "failed", "timed_out", "refused", "rows", "total_ms", "queue_ms", "inference_ms")


@dataclass(frozen=True, slots=True)
class Summary:
    """What some requests came to; the times are none when no request was answered."""

    count: int
    errors: int
    rows: int
    mean_ms: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    mean_queue_ms: float | None = None
    mean_inference_ms: float | None = None


EMPTY = Summary(0, 0, 0, None, None, None, None)


def summary(
    since: datetime,
    until: datetime,
    *,
    nn_id: str | None = None,
    version: int | None = None,
    worker: str | None = None,
) -> Summary:
    """All requests from `since` to `until`, of one network, version or worker when they are named."""
    rows = _read(_periods(since, until), _named(nn_id, version, worker))
    return _summaries(rows, [0] * len(rows), 1)[0]


def series(
    since: datetime,
    until: datetime,
    step: timedelta,
    *,
    nn_id: str | None = None,
    version: int | None = None,
    worker: str | None = None,
) -> list[tuple[datetime, Summary]]:
    """The requests of each step of time, by its start, also of those without any.

    Steps are counted from the epoch, and the first is the one that `since` is in: a chart that is drawn again later has
    the same steps. Those that are no whole hours have nothing where minutes are no longer kept.

    Raises:
        ValueError: the step is no whole number of minutes, or there are more than `STEPS_MAX`.
    """
    seconds = int(step.total_seconds())
    if seconds <= 0 or step % timedelta(seconds=MINUTE_SECONDS):
        raise ValueError("a step has to be a whole number of minutes")
    first = _floor(since, seconds)
    count = max(-(-int((until - first) / timedelta(microseconds=1)) // (seconds * 1_000_000)), 0)
    if count > STEPS_MAX:
        raise ValueError(f"{count} steps are more than {STEPS_MAX}")
    end = first + count * step
    periods = Q(period_seconds=HOUR_SECONDS, start__gte=first, start__lt=end)
    if seconds % HOUR_SECONDS:
        periods = Q(period_seconds=MINUTE_SECONDS, start__gte=first, start__lt=end)
    rows = _read(periods, _named(nn_id, version, worker), "start")
    found = _summaries(rows, [(row[0] - first) // step for row in rows], count)
    return [(first + number * step, one) for number, one in enumerate(found)]


def by_network(nn_ids: Collection[str], since: datetime, until: datetime) -> dict[str, Summary]:
    """The requests of each of these networks that had any."""
    return _by("nn_id", since, until, Q(nn_id__in=nn_ids))


def by_version(nn_id: str, since: datetime, until: datetime) -> dict[int, Summary]:
    """The requests of each version of a network that answered any."""
    return _by("version", since, until, Q(nn_id=nn_id, version__gt=0))


def by_worker(since: datetime, until: datetime) -> dict[str, Summary]:
    """The requests of each worker that answered any."""
    return _by("worker", since, until, Q(nn_id=EVERY_NETWORK, worker__gt=""))


def _by(field: str, since: datetime, until: datetime, which: Q) -> dict[Any, Summary]:
    rows = _read(_periods(since, until), which, field)
    places = {value: place for place, value in enumerate(sorted({row[0] for row in rows}))}
    return dict(zip(places, _summaries(rows, [places[row[0]] for row in rows], len(places)), strict=True))


def _named(nn_id: str | None, version: int | None, worker: str | None) -> Q:
    if nn_id is None and version is None:
        nn_id = EVERY_NETWORK
    asked = {"nn_id": nn_id, "version": version, "worker": worker}
    which = Q(**{name: value for name, value in asked.items() if value is not None})
    return which if nn_id is not None else which & ~Q(nn_id=EVERY_NETWORK)


def _periods(since: datetime, until: datetime) -> Q:
    """The rollups that a range is put together from: its whole hours, and minutes before and after them."""
    since, until = _floor(since, MINUTE_SECONDS), _ceil(until, MINUTE_SECONDS)
    kept = timezone.now() - timedelta(days=settings.PIPELINE_ROLLUPS_MINUTE_DAYS)
    hours_from = _floor(since, HOUR_SECONDS) if since < kept else _ceil(since, HOUR_SECONDS)
    hours_until = _ceil(until, HOUR_SECONDS) if until < kept else _floor(until, HOUR_SECONDS)
    if hours_from >= hours_until:
        return Q(period_seconds=MINUTE_SECONDS, start__gte=since, start__lt=until)
    return (
        Q(period_seconds=HOUR_SECONDS, start__gte=hours_from, start__lt=hours_until)
        | Q(period_seconds=MINUTE_SECONDS, start__gte=since, start__lt=hours_from)
        | Q(period_seconds=MINUTE_SECONDS, start__gte=hours_until, start__lt=until)
    )


def _read(periods: Q, which: Q, *fields: str) -> list[tuple[Any, ...]]:
    """The fields that are asked for, and then what `_summaries` needs."""
    return list(Rollup.objects.filter(periods, which).values_list(*fields, *_NUMBERS, "histogram"))


def _summaries(rows: Sequence[tuple[Any, ...]], groups: Iterable[int], count: int) -> list[Summary]:
    """The summary of each group of rows; `groups` says which each row belongs to."""
    if not rows:
        return [EMPTY] * count
    places = np.fromiter(groups, dtype=np.intp, count=len(rows))
    numbers = np.array([row[-1 - len(_NUMBERS) : -1] for row in rows], dtype=np.float64)
    sums = np.stack([np.bincount(places, column, count) for column in numbers.T], axis=1)
    times = percentiles(add_up([row[-1] for row in rows], places, count), SHARES)
    return [_summary(*pair) for pair in zip(sums, times, strict=True)]


def _summary(sums: npt.NDArray[np.float64], times: npt.NDArray[np.float64]) -> Summary:
    answered, failed, timed_out, refused, rows, total, queue, inference = sums.tolist()
    errors = int(failed + timed_out + refused)
    p50, p95, p99 = (None if isnan(time) else time for time in times.tolist())
    mean, mean_queue, mean_inference = (sum_ / answered if answered else None for sum_ in (total, queue, inference))
    return Summary(int(answered) + errors, errors, int(rows), mean, p50, p95, p99, mean_queue, mean_inference)


def _floor(at: datetime, seconds: int) -> datetime:
    return datetime.fromtimestamp(int(at.timestamp()) // seconds * seconds, UTC)


def _ceil(at: datetime, seconds: int) -> datetime:
    floor = _floor(at, seconds)
    return floor if floor == at else floor + timedelta(seconds=seconds)
