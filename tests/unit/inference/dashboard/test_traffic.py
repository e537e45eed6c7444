"""The figures of requests: rates, shares of errors and percentiles of a range, and what the charts draw."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from inference.dashboard.traffic import DAY, HOUR, MINUTE, RANGES, read_recent, read_traffic
from inference.dispatch.predict_input import PREDICT_DOOR
from inference.statistics.timing import Timing
from inference.statistics.timings import Timings

pytestmark = pytest.mark.django_db
#: Half past an hour, and half a minute: of the last two days, whose minutes are kept.
NOW = datetime.now(UTC).replace(minute=30, second=30, microsecond=0) - timedelta(hours=1)
Note = Callable[..., None]


@pytest.fixture
def note() -> Note:
    timings = Timings(lambda: NOW)

    def note(at: datetime, count: int = 1, total_ms: float = 2.0, outcome: str = "answered") -> None:
        for _ in range(count):
            timings.add(Timing(at, "a" * 32, 3, "w1", 1, 1, total_ms, 1.0, 0.5, outcome, PREDICT_DOOR))
        timings.flush()

    return note


def test_without_requests_everything_is_nothing() -> None:
    for chosen in RANGES.values():
        traffic = read_traffic(chosen, NOW)

        assert (traffic.rate, traffic.error_share, traffic.total.p50_ms) == (0.0, 0.0, None)
        assert set(traffic.chart()["p50"]) == {None}
    assert read_recent(NOW).rate == 0.0


def test_a_range_is_counted_over_the_seconds_that_it_covers(note: Note) -> None:
    note(NOW - 20 * MINUTE, 363)

    traffic = read_traffic(RANGES["hour"], NOW)

    assert (traffic.until - traffic.since).total_seconds() == 3630
    assert traffic.rate == pytest.approx(0.1)
    assert read_traffic(RANGES["quarter"], NOW).total.count == 0


@pytest.mark.parametrize("name", RANGES)
def test_errors_and_percentiles_are_of_the_range_alone(name: str, note: Note) -> None:
    chosen = RANGES[name]
    note(NOW - chosen.length - 2 * chosen.step, 50, outcome="failed")
    note(NOW - chosen.length + chosen.step, 90, 3.0)
    note(NOW - MINUTE, 8, 40.0)
    note(NOW, 2, outcome="timed_out")

    traffic = read_traffic(chosen, NOW)

    assert (traffic.total.count, traffic.total.errors, traffic.error_share) == (100, 2, 0.02)
    assert traffic.total.p50_ms == pytest.approx(3.0, rel=0.02)
    assert traffic.total.p95_ms == pytest.approx(40.0, rel=0.02)
    assert sum(one.count for _, one in traffic.steps) == 100


def test_a_chart_draws_rates_by_step(note: Note) -> None:
    note(NOW - MINUTE, 60)
    note(NOW - MINUTE, 6, outcome="refused")
    note(NOW, 15)

    chart = read_traffic(RANGES["quarter"], NOW).chart()

    assert chart["labels"][-1] == f"{NOW:%H:%M}"
    assert chart["answered"][-2:] == [1.0, 0.5]  # the last minute has half begun
    assert chart["errors"][-2:] == [0.1, 0.0]
    assert len({len(column) for column in chart.values()}) == 1


def test_a_step_that_has_just_begun_is_not_drawn() -> None:
    on_time = NOW.replace(second=10)

    assert read_traffic(RANGES["hour"], on_time).chart()["labels"][-1] == f"{on_time - MINUTE:%H:%M}"


def test_a_week_names_its_days() -> None:
    labels = read_traffic(RANGES["week"], NOW).chart()["labels"]

    assert labels[-1] == f"{NOW:%a %H}:00"
    assert len(labels) == 7 * DAY / HOUR + 1


def test_now_is_the_minute_that_runs_and_the_one_before(note: Note) -> None:
    note(NOW - 6 * MINUTE, 500)
    note(NOW - 4 * MINUTE, 10, outcome="failed")
    note(NOW - MINUTE, 60)
    note(NOW, 30)

    recent = read_recent(NOW)

    assert (recent.count, recent.errors) == (100, 10)
    assert recent.rate == pytest.approx(1.0)
