"""How requests fared in the ranges of time that can be chosen, and just now; read from the statistics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from inference.statistics.summary import Summary, series, summary

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
#: What "now" is of: whole minutes, and the one that runs.
RECENT_MINUTES = 5
RATE_MINUTES = 1
#: A step that has just begun is not drawn: a second of it would stand for all.
DRAWN_FROM = 0.25


@dataclass(frozen=True)
class Range:
    """A range that can be chosen. A day by smaller steps than hours would be read from all of its minutes."""

    name: str
    title: str
    length: timedelta
    step: timedelta
    fresh_seconds: float

    @property
    def labels(self) -> str:
        """How a chart writes a step's start."""
        return "%a %H:%M" if self.length > DAY else "%H:%M"


RANGES = {
    each.name: each
    for each in (
        Range("quarter", "15 minutes", 15 * MINUTE, MINUTE, 2.0),
        Range("hour", "hour", HOUR, MINUTE, 2.0),
        Range("day", "day", DAY, HOUR, 5.0),
        Range("week", "week", 7 * DAY, HOUR, 15.0),
    )
}
USUAL_RANGE = RANGES["hour"]


@dataclass(frozen=True)
class Traffic:
    """The requests of a range, as a whole and by step of time; the range begins with a whole step."""

    range: Range
    since: datetime
    until: datetime
    total: Summary
    steps: list[tuple[datetime, Summary]]

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.total.count / (self.until - self.since).total_seconds()

    @property
    def error_share(self) -> float:
        """The share of requests that were not answered."""
        return self.total.errors / self.total.count if self.total.count else 0.0

    def chart(self) -> dict[str, list[Any]]:
        """What the charts draw, by step: when it began, requests a second, milliseconds."""
        drawn = [(start, one, min(self.until - start, self.range.step)) for start, one in self.steps]
        drawn = [each for each in drawn if each[2] >= DRAWN_FROM * self.range.step]
        seconds = [length.total_seconds() for _, _, length in drawn]
        ones = [one for _, one, _ in drawn]
        return {
            "labels": [f"{start:{self.range.labels}}" for start, _, _ in drawn],
            "answered": [_rounded((one.count - one.errors) / took) for one, took in zip(ones, seconds, strict=True)],
            "errors": [_rounded(one.errors / took) for one, took in zip(ones, seconds, strict=True)],
            "p50": [_rounded(one.p50_ms) for one in ones],
            "p95": [_rounded(one.p95_ms) for one in ones],
            "p99": [_rounded(one.p99_ms) for one in ones],
        }


@dataclass(frozen=True)
class Recent:
    """The requests of the last minutes: how many, how many of them were not answered, and how many a second now."""

    count: int
    errors: int
    rate: float


def read_traffic(chosen: Range, now: datetime) -> Traffic:
    """The requests of a range up to now, by two queries."""
    current = _floor(now, chosen.step)
    since = current - chosen.length
    return Traffic(
        chosen, since, now, summary(since, current + chosen.step), series(since, current + chosen.step, chosen.step)
    )


def read_recent(now: datetime) -> Recent:
    """The requests of the last minutes, by one query."""
    current = _floor(now, MINUTE)
    steps = series(current - RECENT_MINUTES * MINUTE, current + MINUTE, MINUTE)
    ones = [one for _, one in steps]
    seconds = (now - current + RATE_MINUTES * MINUTE).total_seconds()
    rate = sum(one.count for one in ones[-1 - RATE_MINUTES :]) / seconds
    return Recent(sum(one.count for one in ones), sum(one.errors for one in ones), rate)


def _floor(at: datetime, step: timedelta) -> datetime:
    seconds = int(step.total_seconds())
    return datetime.fromtimestamp(int(at.timestamp()) // seconds * seconds, UTC)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
