"""What a gateway process has counted of the current minute and hour, as rows of `Rollup` to be.

Each row has a name of its own (`writer`) and is written as a whole, again and again while its period lasts: what is
written twice is not counted twice, no process touches another's rows, and what is no longer held in memory goes on in a
row of another name.
"""

from __future__ import annotations

import secrets
from collections.abc import Container, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from inference.models.rollup import EVERY_NETWORK, HOUR_SECONDS, MINUTE_SECONDS
from inference.statistics.histogram import bucket_of, to_bytes
from inference.statistics.timing import Timing

#: So many rows are held in memory at most.
TALLIES_MAX = 2000
#: So long after its end a period's row is still added to.
LATE = timedelta(minutes=10)


class Key(NamedTuple):
    """What a row of `Rollup` is of."""

    period_seconds: int
    start: datetime
    nn_id: str
    version: int
    worker: str


class Tally:
    """Counts and sums of some requests."""

    __slots__ = ("buckets", "counts", "inference_ms", "queue_ms", "rows", "total_ms", "writer")

    def __init__(self) -> None:
        self.writer = ""
        self.counts = {"answered": 0, "failed": 0, "timed_out": 0, "refused": 0}
        self.rows = 0
        self.total_ms = self.queue_ms = self.inference_ms = 0.0
        self.buckets: dict[int, int] = {}

    def add(self, other: Tally) -> None:
        """Add another's."""
        for outcome, count in other.counts.items():
            self.counts[outcome] += count
        self.rows += other.rows
        self.total_ms += other.total_ms
        self.queue_ms += other.queue_ms
        self.inference_ms += other.inference_ms
        buckets = self.buckets
        for bucket, count in other.buckets.items():
            buckets[bucket] = buckets.get(bucket, 0) + count

    def columns(self) -> tuple[Any, ...]:
        """Its part of a row of `Rollup`, in the order of `COLUMNS`."""
        sums = self.total_ms, self.queue_ms, self.inference_ms
        return self.writer, *self.counts.values(), self.rows, *sums, to_bytes(self.buckets)


#: The columns of `Tallies.changed`: those that name a row, and those that are replaced.
NAMED_BY = (*Key._fields, "writer")
COLUMNS = ("answered", "failed", "timed_out", "refused", "rows", "total_ms", "queue_ms", "inference_ms", "histogram")


class Tallies:
    """Owns the rows of one process; one thread at a time uses them."""

    def __init__(self) -> None:
        self._held: dict[Key, Tally] = {}
        self._changed: set[Key] = set()
        self._known: set[str] = set()

    def add(self, timings: Sequence[Timing], now: datetime) -> None:
        """Count timings, each once."""
        self._let_go(now)
        self._known.update(timing.nn_id for timing in timings if timing.version)
        for (start, nn_id, version, worker), tally in tallied(timings, self._known).items():
            for seconds, begin in ((MINUTE_SECONDS, start), (HOUR_SECONDS, start.replace(minute=0))):
                self._add(Key(seconds, begin, nn_id, version, worker), tally)
                self._add(Key(seconds, begin, EVERY_NETWORK, 0, worker), tally)

    def _add(self, key: Key, tally: Tally) -> None:
        held = self._held.get(key)
        if held is None:
            held = self._held[key] = Tally()
            held.writer = secrets.token_hex(8)
        held.add(tally)
        self._changed.add(key)

    def changed(self) -> list[tuple[Any, ...]]:
        """The rows to write, in the order of `NAMED_BY` and `COLUMNS`: those that have changed since `written`."""
        return [(*key, *self._held[key].columns()) for key in sorted(self._changed)]

    def written(self) -> None:
        """Note that all is in the database."""
        self._changed.clear()

    def forget(self) -> None:
        """Note that the database refuses what has changed."""
        self._held.clear()
        self._changed.clear()

    def _let_go(self, now: datetime) -> None:
        """Hold no row whose period is over, and not too many; those of all networks are few, and read most."""
        over = [key for key in self._held if key.start + timedelta(seconds=key.period_seconds) + LATE < now]
        if len(self._held) - len(over) > TALLIES_MAX:
            over += [key for key in self._held if key.nn_id != EVERY_NETWORK]
        if len(self._held) - len(set(over)) > TALLIES_MAX:
            over = list(self._held)
        for key in over:
            if key not in self._changed:
                self._held.pop(key, None)


def tallied(timings: Iterable[Timing], known: Container[str]) -> dict[tuple[datetime, str, int, str], Tally]:
    """The sums of timings by minute, network, version and worker.

    Requests of networks that are not `known` are counted under no name: anybody can ask for any.
    """
    tallies: dict[tuple[datetime, str, int, str], Tally] = {}
    start = end = datetime.min.replace(tzinfo=UTC)
    for at, nn_id, version, worker, rows, _, total_ms, queue_ms, inference_ms, outcome, _ in timings:
        if not start <= at < end:
            start = at.replace(second=0, microsecond=0)
            end = start + timedelta(seconds=MINUTE_SECONDS)
        key = start, nn_id if nn_id in known else "", version or 0, worker
        tally = tallies.get(key)
        if tally is None:
            tally = tallies[key] = Tally()
        tally.counts[outcome] += 1
        if outcome == "answered":
            tally.rows += rows
            tally.total_ms += total_ms
            tally.queue_ms += queue_ms
            tally.inference_ms += inference_ms
            bucket = bucket_of(total_ms)
            tally.buckets[bucket] = tally.buckets.get(bucket, 0) + 1
    return tallies
