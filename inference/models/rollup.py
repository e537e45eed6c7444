"""The table of statistics: what the requests of one minute, or of one hour, came to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from datetime import datetime

MINUTE_SECONDS = 60
HOUR_SECONDS = 3600
#: In place of a network's name, and with version 0: the sum of a worker's requests, whichever network they asked.
EVERY_NETWORK = "*"


class Rollup(models.Model):
    """The requests of one period for one network, version and worker, as one gateway process saw them.

    Beside these, each worker's requests have a row for all networks, so that a thousand networks take no longer to sum
    up than one.

    Every process writes rows of its own, so that none waits for another; whoever reads adds them up. Minutes tell of
    the recent past, hours of the year.
    """

    period_seconds = models.PositiveIntegerField(help_text="60 or 3600.")
    start = models.DateTimeField()
    nn_id = models.CharField(max_length=32, blank=True)
    version = models.PositiveIntegerField(default=0, help_text="0 where none answered.")
    worker = models.CharField(max_length=255, blank=True)
    writer = models.CharField(max_length=16, help_text="Tells rows of one key apart.")
    answered = models.PositiveBigIntegerField()
    failed = models.PositiveBigIntegerField()
    timed_out = models.PositiveBigIntegerField()
    refused = models.PositiveBigIntegerField()
    rows = models.PositiveBigIntegerField(help_text="Rows that were answered.")
    total_ms = models.FloatField(help_text="Sums, as those below, of the requests that were answered.")
    queue_ms = models.FloatField()
    inference_ms = models.FloatField()
    histogram = models.BinaryField(help_text="How many answered requests took how long: see statistics/histogram.py.")

    class Meta:
        app_label = "inference"
        constraints = [
            # In the order in which they are read: a kind of period, a range of time.
            models.UniqueConstraint(
                fields=["period_seconds", "start", "nn_id", "version", "worker", "writer"], name="one_rollup_a_writer"
            )
        ]
        # A range of time has as many rows as networks, versions and workers; most who read want one network's.
        indexes = [models.Index(fields=["nn_id", "period_seconds", "start"], name="rollups_by_network")]

    def __str__(self) -> str:
        start: datetime = self.start
        return f"{self.nn_id} version {self.version} on {self.worker} from {start:%Y-%m-%d %H:%M}"
