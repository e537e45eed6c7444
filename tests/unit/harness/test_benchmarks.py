"""What the benchmarks make of their measurements: wrk's output, tables, ratios, and the steps of a request."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from inference.models import PredictionTiming, Rollup
from tests.benchmarks import breakdown, filled
from tests.benchmarks.report import markdown
from tests.benchmarks.statistics_queries import list_queries, measured, statistics_queries
from tests.benchmarks.table import tables
from tests.benchmarks.wrk import read

OUTPUT = """Running 2s test @ http://127.0.0.1:1/predict
  100 requests in 2.00s

{"requests": 100, "seconds": 2.0, "wrong": 10, "errors": 1.0, "p50_ms": 1.5, "p90_ms": 2.5, "p99_ms": 3.5, "max_ms": 4.5, "example": "500 'no'"}
"""  # noqa: E501
MACHINE = {"processor": "P", "cores": 2, "python": "3.11", "commit": "c", "measured_at": "today"}


def measurement(system: str, number: int, requests: int, **parts: float) -> dict[str, Any]:
    """A second at 64 connections."""
    load = {"requests": requests, "wrong": 0, "errors": 0, "seconds": 1.0, "wrk_cpu_seconds": 0.1}
    load |= {"p50_ms": 1.0, "p90_ms": 2.0, "p99_ms": 3.0}
    common = {"system": system, "round": number, "connections": 64, "load": load}
    return common | {"cpu_us": parts, "rss_mb": parts, "shares": [0.75, 0.25]}


def test_wrong_answers_are_no_throughput() -> None:
    load = read(OUTPUT)

    assert load.right_per_second == 45.0
    assert (load.wrong, load.errors, load.p99_ms, load.example) == (10, 1, 3.5, "500 'no'")


def test_tables_show_the_rounds_means_and_how_many_times_another_system_that_is() -> None:
    measured = [
        measurement("floor", 1, 1000, gateway=100.0),
        measurement("cluster", 1, 400, gateway=200.0, worker=50.0),
        measurement("cluster", 2, 600, gateway=300.0, worker=50.0),
    ]

    text = tables({"machine": MACHINE, "measurements": measured})

    assert "| 64 | cluster | 500 | 1.00 | 2.00 | 3.00 | 0 | 0.50 |" in text
    assert "| cluster | 64 | 300 | gateway 250, worker 50 |" in text
    assert "75%" in text


def test_a_table_shows_three_digits_of_small_numbers_and_all_of_large_ones() -> None:
    assert markdown([{"a": "x", "b": 0.12345, "c": 12345.6}]).splitlines()[-1] == "| x | 0.123 | 12346 |"


def test_a_requests_steps_are_those_after_it_was_sent() -> None:
    names = [breakdown.STEPS[0][0], *(last for _, last, _ in breakdown.STEPS)]
    millisecond = 1_000_000
    marks = {name: [millisecond * (at + 100 * request) for request in range(3)] for at, name in enumerate(names)}

    rows = breakdown.steps(marks)

    assert [row["median ms"] for row in rows] == pytest.approx([1.0] * len(breakdown.STEPS))


@pytest.mark.django_db(transaction=True)
def test_a_filled_database_answers_every_query(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filled, "MINUTE_DAYS", 0)
    monkeypatch.setattr(filled, "HOUR_DAYS", 2)
    monkeypatch.setattr(filled, "OTHERS_DAYS", 2)
    now = datetime.now(UTC)

    filled.fill_timings(1000, now)
    rollups = filled.fill_rollups(now)
    others = filled.fill_other_rollups(now, others=3)
    rows = measured(statistics_queries(now) | list_queries(now), 1)

    assert PredictionTiming.objects.filter(outcome="failed", at__lt=now).count() == 5
    assert (rollups, others) > (2 * 24 * 8, 24 * 3 * 8)
    assert Rollup.objects.count() == rollups + others
    assert all(row["median ms"] for row in rows)
