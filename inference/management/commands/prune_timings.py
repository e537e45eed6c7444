"""`manage.py prune_timings`: delete what the settings no longer keep of timings and statistics, all of it, now."""

from __future__ import annotations

from time import monotonic, sleep
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError
from django.utils import timezone

from inference.models import PredictionTiming, Rollup
from inference.statistics.pruner import PAUSE_SECONDS
from inference.statistics.retention import Pruned, prune_step

PROGRESS_SECONDS = 1.0


class Command(BaseCommand):
    """Prune until nothing is left to prune."""

    help = (
        "Delete the timings beyond PIPELINE_TIMINGS_MAX_ROWS and PIPELINE_TIMINGS_DAYS, and the statistics beyond "
        "PIPELINE_ROLLUPS_MINUTE_DAYS and PIPELINE_ROLLUPS_DAYS, in short steps. Gateways do so by themselves; this "
        "is for smaller limits, or when none runs. They may run meanwhile."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Prune, and tell."""
        try:
            done = self._prune()
            stay = PredictionTiming.objects.count(), Rollup.objects.count()
        except DatabaseError as error:
            raise CommandError(f"the database does not take it, so run this again: {error}") from error
        self.stdout.write(f"Deleted {_told(done)}. {stay[0]:,} timings and {stay[1]:,} rows of statistics stay.")

    def _prune(self) -> Pruned:
        total, told = Pruned(), monotonic()
        while step := prune_step(timezone.now()):
            total += step
            if monotonic() - told >= PROGRESS_SECONDS:
                told = monotonic()
                self.stdout.write(f"deleted {_told(total)} so far")
                self.stdout.flush()
            sleep(PAUSE_SECONDS)
        return total


def _told(done: Pruned) -> str:
    merged = f" ({done.merged:,} more went into others)" if done.merged else ""
    return f"{done.timings:,} timings, {done.rollups:,} rows of statistics{merged}"
