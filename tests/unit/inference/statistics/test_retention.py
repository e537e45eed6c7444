"""What the settings no longer keep goes, a little at a time, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.db.models import QuerySet
from pytest_django.fixtures import Settings

from inference.dispatch.predict_input import PREDICT_DOOR
from inference.models import PredictionTiming, Rollup
from inference.statistics import pruner as pruner_module
from inference.statistics import retention
from inference.statistics.pruner import Pruner
from inference.statistics.retention import STEP_ROWS, Pruned, prune_step
from inference.statistics.summary import by_worker, summary
from inference.statistics.timing import Timing
from inference.statistics.timings import Timings

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
#: The requests of a period are in the row of their network, and in that of all networks.
ROWS_A_KEY = 2


def timing(at: datetime, **different: object) -> Timing:
    return Timing(at, "a" * 32, 3, "worker-1@here", 1, 1, 2.0, 1.0, 0.5, "answered", PREDICT_DOOR)._replace(**different)


def written(*timings: Timing) -> None:
    """Written by a process of its own."""
    process = Timings()
    for one in timings:
        process.add(one)
    process.flush()


def prune(now: datetime = NOW) -> Pruned:
    total = Pruned()
    while step := prune_step(now):
        total += step
    return total


def test_the_newest_timings_stay_when_there_are_too_many(settings: Settings) -> None:
    settings.PIPELINE_TIMINGS_MAX_ROWS = 3
    written(*(timing(NOW, rows=number) for number in range(5)))

    assert prune().timings == 2
    assert [*PredictionTiming.objects.order_by("id").values_list("rows", flat=True)] == [2, 3, 4]


def test_timings_go_when_they_are_too_old(settings: Settings) -> None:
    settings.PIPELINE_TIMINGS_DAYS = 2
    written(*(timing(NOW - age * DAY, rows=age) for age in (1, 3, 0, 5)))

    assert prune().timings == 2
    assert [*PredictionTiming.objects.order_by("id").values_list("rows", flat=True)] == [1, 0]


def test_a_step_is_short(settings: Settings) -> None:
    settings.PIPELINE_TIMINGS_MAX_ROWS = 1
    written(*(timing(NOW) for _ in range(STEP_ROWS + 11)))

    assert [prune_step(NOW).timings for _ in range(3)] == [STEP_ROWS, 10, 0]


def test_statistics_are_kept_by_the_minute_for_days_and_by_the_hour_for_a_year(settings: Settings) -> None:
    settings.PIPELINE_ROLLUPS_MINUTE_DAYS, settings.PIPELINE_ROLLUPS_DAYS = 2, 300
    written(*(timing(NOW - age * DAY) for age in (0, 1, 3, 299, 301)))

    assert prune().rollups == ROWS_A_KEY * (3 + 1)
    assert (
        sorted(Rollup.objects.values_list("period_seconds", flat=True))
        == ROWS_A_KEY * [60] * 2 + ROWS_A_KEY * [3600] * 4
    )
    assert summary(NOW - 400 * DAY, NOW + HOUR).count == 4
    assert summary(NOW - 4 * DAY, NOW - 2 * DAY).count == 1


def test_after_a_day_the_rows_of_all_processes_are_one_and_their_sum_is_the_same() -> None:
    old = (NOW - 2 * DAY).replace(minute=0)
    for total_ms in (2.0, 20.0, 200.0):
        written(timing(old, total_ms=total_ms), timing(old, worker="other@here"), timing(old, outcome="failed"))
    hours = Rollup.objects.filter(period_seconds=3600, start__lt=NOW - DAY)
    before = by_worker(old - HOUR, old + HOUR)
    assert hours.count() == ROWS_A_KEY * 6

    assert prune().merged == ROWS_A_KEY * 4

    assert sorted(hours.values_list("worker", flat=True)) == ROWS_A_KEY * ["other@here"] + ROWS_A_KEY * [
        "worker-1@here"
    ]
    assert by_worker(old - HOUR, old + HOUR) == before


def test_what_comes_after_a_merge_is_merged_too() -> None:
    old = NOW - 2 * DAY
    merged = []
    for _ in range(3):
        written(timing(old))
        merged.append(prune().merged)

    assert merged == [0, ROWS_A_KEY, ROWS_A_KEY]
    assert [one.answered for one in Rollup.objects.filter(period_seconds=3600)] == ROWS_A_KEY * [3]


def test_a_process_that_writes_after_a_merge_loses_nothing_of_others() -> None:
    first, second = Timings(), Timings()
    for process in (first, second, first, second):
        process.add(timing(NOW - 2 * DAY))
        process.flush()
        prune()

    assert summary(NOW - 3 * DAY, NOW).count == 4


def test_the_current_hours_are_not_merged() -> None:
    written(timing(NOW))
    written(timing(NOW))

    assert not prune()


def test_the_command_says_what_went_and_what_stays(settings: Settings) -> None:
    settings.PIPELINE_TIMINGS_MAX_ROWS = 1000
    written(*(timing(NOW) for _ in range(3234)))
    output = StringIO()

    call_command("prune_timings", stdout=output)

    assert output.getvalue() == (
        "Deleted 2,234 timings, 0 rows of statistics. 1,000 timings and 4 rows of statistics stay.\n"
    )


def test_the_command_shows_how_far_it_is(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PIPELINE_TIMINGS_MAX_ROWS = 1
    monkeypatch.setattr("inference.management.commands.prune_timings.PROGRESS_SECONDS", 0.0)
    written(*(timing(NOW) for _ in range(STEP_ROWS + 11)))
    output = StringIO()

    call_command("prune_timings", stdout=output)

    assert output.getvalue().splitlines()[:2] == [
        "deleted 1,000 timings, 0 rows of statistics so far",
        "deleted 1,010 timings, 0 rows of statistics so far",
    ]


def test_the_command_says_what_the_database_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(now: datetime) -> Pruned:
        raise OperationalError("database is locked")

    monkeypatch.setattr("inference.management.commands.prune_timings.prune_step", fail)

    with pytest.raises(CommandError, match=r"run this again: database is locked"):
        call_command("prune_timings")


class Clock:
    """The pruner's time, which passes only when it is told to, and the steps that it takes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, step: Callable[[], Pruned]) -> None:
        self.now, self.steps = 0.0, 0
        self._step = step
        monkeypatch.setattr(pruner_module, "monotonic", lambda: self.now)
        monkeypatch.setattr(pruner_module, "sleep", self.pass_)
        monkeypatch.setattr(pruner_module, "prune_step", self._take_step)

    def pass_(self, seconds: float) -> None:
        self.now += seconds

    def _take_step(self, now: datetime) -> Pruned:
        self.steps += 1
        self.pass_(0.005)
        return self._step()


def test_the_writer_prunes_a_little_after_each_flush_while_there_is_something(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, lambda: Pruned(timings=500))
    pruner = Pruner(lambda: NOW)
    pruner.take_turn()
    assert clock.steps == 0

    clock.pass_(pruner_module.REST_SECONDS)
    for turn in (1, 2, 3):
        before = clock.now
        pruner.take_turn()
        assert clock.now - before <= pruner_module.TURN_SECONDS + 0.02
        assert clock.steps >= 8 * turn


@pytest.mark.parametrize("fails", [False, True])
def test_the_writer_rests_when_there_is_nothing_to_prune_or_the_database_fails(
    monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    def step() -> Pruned:
        if fails:
            raise OperationalError("database is locked")
        return Pruned()

    clock = Clock(monkeypatch, step)
    pruner = Pruner(lambda: NOW)
    for rest in (pruner_module.REST_SECONDS, 0.5, 0.5, pruner_module.REST_SECONDS):
        clock.pass_(rest)
        before = clock.steps
        pruner.take_turn()
        assert (clock.steps > before) == (rest > 1)


def test_who_prunes_at_the_same_time_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    written(timing(NOW), *(timing(NOW - 50 * DAY) for _ in range(5)))
    real = retention._delete

    def delete(rows: QuerySet[Any], ids: list[int]) -> int:
        rows.model.objects.filter(id__in=ids).delete()
        return real(rows, ids)

    monkeypatch.setattr(retention, "_delete", delete)

    assert not prune_step(NOW)
    assert PredictionTiming.objects.count() == 1
