"""What the benchmarks make of their measurements: wrk's output, tables, ratios, and where a request's time goes."""

from __future__ import annotations

from datetime import UTC, datetime
from socket import socketpair
from typing import Any

import pytest

from inference.models import PredictionTiming, Rollup
from tests.benchmarks import breakdown, filled, idle_connections, image
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
    return common | {"cpu_us": parts, "rss_mb": parts, "shares": [0.75, 0.25], "front_mb": [100.0, 80.0]}


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


def test_another_commit_is_compared_figure_by_figure() -> None:
    measured = [
        measurement("cluster", 1, 900, gateway=200.0),
        measurement("cluster, abc1234", 1, 450, gateway=400.0),
        measurement("cluster", 2, 1100, gateway=200.0),
        measurement("cluster, abc1234", 2, 1100, gateway=400.0),
        measurement("embedded", 1, 1000, gateway=100.0),
    ]

    text = tables({"machine": MACHINE, "measurements": measured, "against": "abc1234"})

    lines = text.splitlines()
    assert "| cluster | right answers/s | 64 | 1000 | 775 | 1.29 | 2.00, 1.00 |" in lines
    assert "| cluster | gateway's CPU µs a request | 64 | 200 | 400 | 0.50 | 0.50, 0.50 |" in lines
    assert "| cluster | RSS MB of a gateway process | 64 | 90 | 90 | 1.00 | 1.00, 1.00 |" in lines
    assert not [line for line in lines if line.startswith("| embedded | right")]


def test_a_table_says_what_is_left_out_and_why() -> None:
    found = {"machine": MACHINE, "measurements": [measurement("floor", 1, 1000, gateway=1.0)]}

    assert "triton is left out: no wheel.\n" in tables(found | {"left_out": {"triton": "no wheel"}})


def test_what_an_image_takes_is_told_beyond_the_workers_call() -> None:
    rows = image.rows([50.0, 52.0, 54.0], [[20.0, 5.0], [20.0, 5.0], [20.0, 5.0]])

    assert [row["p50 ms"] for row in rows] == [52.0, 5.0, 47.0, 32.0, 15.0]


def test_an_idle_connection_that_the_other_side_has_closed_is_counted() -> None:
    kept, lost = socketpair(), socketpair()
    lost[1].close()

    with kept[0], kept[1], lost[0]:
        assert idle_connections.closed([kept[0], lost[0]]) == 1


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
