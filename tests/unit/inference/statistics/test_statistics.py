"""What the dashboard's numbers are made from: rollups that are written with the timings, and read for any range."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from inference.dispatch.predict_input import PREDICT_DOOR
from inference.models.rollup import EVERY_NETWORK, Rollup
from inference.statistics import timings as timings_module
from inference.statistics.summary import EMPTY, Summary, by_version, by_worker, series, summary
from inference.statistics.timing import Timing
from inference.statistics.timings import Timings

NOON = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(hours=12)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
Note = Callable[..., None]


@pytest.fixture
def note(db: None) -> Note:
    """Notes a timing; the part of a gateway that does so is the same for all of a test."""
    timings = Timings()

    def note(at: datetime, total_ms: float = 2.0, **different: object) -> None:
        timing = Timing(at, "a" * 32, 3, "worker-1@here", 2, 8, total_ms, 1.0, 0.5, "answered", PREDICT_DOOR)
        timings.add(timing._replace(**different))
        timings.flush()

    return note


def test_without_requests_there_is_nothing(db: None) -> None:
    assert summary(NOON, NOON + DAY) == EMPTY
    assert by_version("a" * 32, NOON, NOON + DAY) == {}
    assert by_worker(NOON, NOON + DAY) == {}


def test_a_summary_counts_all_and_times_those_that_were_answered(note: Note) -> None:
    note(NOON, 2.0)
    note(NOON + MINUTE, 6.0)
    for outcome in ("failed", "timed_out", "refused"):
        note(NOON, 1000.0, outcome=outcome)

    found = summary(NOON, NOON + HOUR)

    assert (found.count, found.errors, found.rows) == (5, 3, 4)
    assert (found.mean_ms, found.mean_queue_ms, found.mean_inference_ms) == (4.0, 1.0, 0.5)
    assert found.p50_ms == pytest.approx(2.0, rel=0.02)
    assert found.p99_ms == pytest.approx(6.0, rel=0.02)


def test_only_errors_have_no_times(note: Note) -> None:
    note(NOON, outcome="refused", version=None, worker="")

    assert summary(NOON, NOON + HOUR) == Summary(1, 1, 0, None, None, None, None)


def test_who_asks_for_networks_that_do_not_exist_makes_no_rows(note: Note) -> None:
    note(NOON)
    for number in range(50):
        note(NOON, nn_id=f"{number:032x}", version=None, worker="", outcome="refused")
    note(NOON, version=None, worker="", outcome="timed_out")

    assert {row.nn_id for row in Rollup.objects.all()} == {"a" * 32, "", EVERY_NETWORK}
    assert (summary(NOON, NOON + HOUR).count, summary(NOON, NOON + HOUR, nn_id="a" * 32).count) == (52, 2)


@pytest.mark.parametrize(
    ("since", "until", "count"),
    [
        (NOON - DAY, NOON + DAY, 5),
        (NOON, NOON + 2 * HOUR, 4),
        (NOON + MINUTE, NOON + 2 * HOUR + MINUTE, 4),
        (NOON + MINUTE, NOON + HOUR + MINUTE, 2),
        (NOON + 30 * MINUTE, NOON + 40 * MINUTE, 0),
        (NOON + timedelta(seconds=30), NOON + timedelta(seconds=40), 1),
        (NOON + HOUR, NOON, 0),
    ],
)
def test_a_range_is_put_together_from_hours_and_minutes(
    note: Note, since: datetime, until: datetime, count: int
) -> None:
    for minutes in (0, 59, 60, 119, 120):
        note(NOON + minutes * MINUTE)

    assert summary(since, until).count == count


def test_one_network_version_or_worker_is_told_apart(note: Note) -> None:
    note(NOON)
    note(NOON, nn_id="b" * 32)
    note(NOON, version=4)
    note(NOON, worker="other@here")
    note(NOON, version=None, worker="", outcome="failed")

    assert summary(NOON, NOON + HOUR, nn_id="b" * 32).count == 1
    assert summary(NOON, NOON + HOUR, nn_id="a" * 32, version=3).count == 2
    assert summary(NOON, NOON + HOUR, worker="worker-1@here").count == 3
    assert {version: one.count for version, one in by_version("a" * 32, NOON, NOON + HOUR).items()} == {3: 2, 4: 1}
    assert {name: one.count for name, one in by_worker(NOON, NOON + HOUR).items()} == {
        "worker-1@here": 3,
        "other@here": 1,
    }


@pytest.mark.django_db
def test_the_requests_of_all_networks_are_read_from_as_many_rows_as_there_are_workers() -> None:
    process = Timings(lambda: NOON)
    for number in range(20):
        worker = f"worker-{number % 2}@here"
        process.add(Timing(NOON, f"{number:032x}", number, worker, 1, 1, 2.0, 1.0, 0.5, "answered", PREDICT_DOOR))
    process.flush()
    with CaptureQueriesContext(connection) as captured:
        found = summary(NOON, NOON + HOUR), by_worker(NOON, NOON + HOUR), series(NOON, NOON + HOUR, HOUR)

    assert found[0].count == found[2][0][1].count == 20
    assert [one.count for one in found[1].values()] == [10, 10]
    for query in captured:
        with connection.cursor() as cursor:
            cursor.execute(query["sql"])
            assert len(cursor.fetchall()) == 2
    assert summary(NOON, NOON + HOUR, version=3).count == 1
    assert summary(NOON, NOON + HOUR, version=0).count == 1


@pytest.mark.django_db
def test_the_rows_of_all_networks_stay_in_memory_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inference.statistics.tallies.TALLIES_MAX", 5)
    process = Timings(lambda: NOON)
    for number in range(10):
        process.add(Timing(NOON, f"{number:032x}", 1, "worker-1@here", 1, 1, 2.0, 1.0, 0.5, "answered", PREDICT_DOOR))
        process.flush()

    assert Rollup.objects.filter(nn_id=EVERY_NETWORK).count() == 2
    assert summary(NOON, NOON + HOUR).count == 10


@pytest.mark.parametrize("step", [MINUTE, 15 * MINUTE, HOUR, 2 * HOUR])
def test_a_series_has_every_step_and_the_sum_of_its_requests(note: Note, step: timedelta) -> None:
    for minutes in (0, 1, 16, 61, 62, 63, 200):
        note(NOON + minutes * MINUTE)

    found = series(NOON + MINUTE, NOON + 4 * HOUR, step)

    starts = [start for start, _ in found]
    assert starts[0] == NOON + (MINUTE if step == MINUTE else 0 * MINUTE)
    assert {later - start for start, later in pairwise(starts)} == {step}
    assert starts[-1] + step == NOON + 4 * HOUR
    assert sum(one.count for _, one in found) == (6 if step == MINUTE else 7)
    assert all(one == summary(start, start + step) for start, one in found)


def test_a_series_of_too_many_steps_or_of_seconds_is_refused(db: None) -> None:
    with pytest.raises(ValueError, match="2001 steps"):
        series(NOON, NOON + 2001 * MINUTE, MINUTE)
    with pytest.raises(ValueError, match="whole number of minutes"):
        series(NOON, NOON + HOUR, timedelta(seconds=90))


def test_what_several_processes_write_is_added_up(db: None) -> None:
    for _ in range(3):
        process = Timings()
        process.add(Timing(NOON, "a" * 32, 3, "worker-1@here", 1, 1, 2.0, 1.0, 0.5, "answered", PREDICT_DOOR))
        process.flush()
        process.flush()

    assert summary(NOON, NOON + HOUR).count == 3
    assert [one.count for _, one in series(NOON, NOON + HOUR, HOUR)] == [3]


def test_percentiles_are_those_of_the_timings_themselves(note: Note) -> None:
    exact = np.random.default_rng(1).lognormal(2.0, 1.0, 2000)
    timings = Timings()
    for number, total_ms in enumerate(exact.tolist()):
        at = NOON + number * timedelta(seconds=10)
        timings.add(Timing(at, "a" * 32, 3, "worker-1@here", 1, 1, total_ms, 1.0, 0.5, "answered", PREDICT_DOOR))
    timings.flush()

    found = summary(NOON, NOON + DAY)

    assert [found.p50_ms, found.p95_ms, found.p99_ms] == pytest.approx(np.percentile(exact, [50, 95, 99]), rel=0.02)


@pytest.mark.django_db
@pytest.mark.parametrize("written", [True, False])
def test_what_is_written_again_because_nobody_knows_how_it_ended_is_counted_once(
    monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    timings, failures = Timings(), [1]
    real = timings_module.write

    def write(*what: Any) -> None:
        if not failures or written:
            real(*what)
        if failures:
            failures.pop()
            raise OperationalError("the connection was lost")

    monkeypatch.setattr(timings_module, "write", write)
    timing = Timing(NOON, "a" * 32, 3, "worker-1@here", 1, 1, 2.0, 1.0, 0.5, "answered", PREDICT_DOOR)
    timings.add(timing)
    with pytest.raises(OperationalError):
        timings.flush()
    timings.add(timing)

    timings.flush()

    assert summary(NOON, NOON + HOUR).count == 2


@pytest.mark.django_db
def test_after_timings_that_the_database_refuses_the_next_ones_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    timings = Timings()
    timing = Timing(NOON, "a" * 32, 3, "worker-1@here", 1, 1, 2.0, 1.0, 0.5, "answered", PREDICT_DOOR)
    for one in (timing, timing._replace(outcome=None)):  # type: ignore[arg-type]
        timings.add(one)
        timings.flush()
    timings.add(timing)
    timings.flush()

    assert timings.dropped == 1
    assert summary(NOON, NOON + HOUR).count == 2
