"""A year of load, in the time of a test: the database stops growing, and the numbers stay right."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from inference.dispatch.predict_input import PREDICT_DOOR
from inference.models import PredictionTiming, Rollup
from inference.statistics.retention import prune_step
from inference.statistics.summary import summary
from inference.statistics.timing import Timing
from inference.statistics.timings import Timings

BEGIN = datetime(2030, 1, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STEP = 12 * HOUR
WORKERS = ("worker-1@here", "worker-2@here")
PROCESSES = 2
TIMINGS_MAX, TIMINGS_DAYS, MINUTE_DAYS, HOUR_DAYS = 300, 20, 2, 60
STEPS_A_DAY = DAY // STEP


class Year:
    """Two gateway processes that are restarted every few days, each asked by a burst every twelve hours."""

    def __init__(self) -> None:
        self.now = BEGIN
        self._processes: list[Timings] = []

    def pass_(self, steps: int) -> None:
        for step in range(steps):
            self.now += STEP
            if step % 13 == 0:
                self._processes = [Timings(lambda: self.now) for _ in range(PROCESSES)]
            for process in self._processes:
                for minute in (0, 1):
                    for worker in WORKERS:
                        at = self.now + minute * timedelta(minutes=1)
                        process.add(Timing(at, "a" * 32, 3, worker, 1, 1, 5.0, 1.0, 0.5, "answered", PREDICT_DOOR))
                process.flush()
            while prune_step(self.now):
                pass


def pages() -> int:
    if connection.vendor == "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        return int(cursor.fetchone()[0])


@pytest.mark.django_db
def test_a_year_of_load_leaves_a_database_of_bounded_size(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PIPELINE_TIMINGS_MAX_ROWS, settings.PIPELINE_TIMINGS_DAYS = TIMINGS_MAX, TIMINGS_DAYS
    settings.PIPELINE_ROLLUPS_MINUTE_DAYS, settings.PIPELINE_ROLLUPS_DAYS = MINUTE_DAYS, HOUR_DAYS
    year = Year()
    monkeypatch.setattr("inference.statistics.summary.timezone.now", lambda: year.now)

    sizes = []
    for _ in range(12):
        year.pass_(30 * STEPS_A_DAY)
        sizes.append((PredictionTiming.objects.count(), Rollup.objects.count(), pages()))

    keys_a_step = 2 * len(WORKERS) * STEPS_A_DAY  # of the network, and of all networks
    minutes = 2 * PROCESSES * keys_a_step * (MINUTE_DAYS + 1)
    hours = keys_a_step * (HOUR_DAYS + 1) + PROCESSES * keys_a_step * 2
    assert all(timings <= TIMINGS_MAX for timings, _, _ in sizes)
    assert all(rollups <= minutes + hours for _, rollups, _ in sizes)
    assert sizes[-1][2] <= sizes[3][2] * 1.05
    bursts = 30 * STEPS_A_DAY + 1
    assert summary(year.now - 30 * DAY, year.now + HOUR).count == bursts * 2 * PROCESSES * len(WORKERS)
