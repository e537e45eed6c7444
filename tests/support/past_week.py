"""Gives a new database a past of one week, as a busy company has it: `python -m` this, WORKER …

What stands in it already is set back in time: the latest activation of all was a few hours ago. Its requests are
replaced: they are many by day and few by night; each is answered by the version that was active then, and few fail. The
statistics go on for some minutes, so that whoever looks meanwhile sees requests of just now.
"""

from __future__ import annotations

import os
import random
import sys
from bisect import bisect
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from math import cos, pi
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inference.statistics.timing import Timing

DAYS = 7
LATEST_CHANGE = timedelta(hours=5)
REQUESTS_A_MINUTE = 120
#: What is kept of single requests, and of minutes.
REQUESTS_KEPT, MINUTES_KEPT = timedelta(hours=1), timedelta(days=2)
MINUTE = timedelta(minutes=1)
LOOKED_AT_MINUTES = 6


def set_back(now: datetime, asked_by: str) -> None:
    """Spread the activations that there are over the week, in their order, with what belongs to them."""
    from inference.models import Activation, Network, Version, WorkerReport

    activations = list(Activation.objects.order_by("id").select_related("version"))
    first, last = now - timedelta(days=DAYS), now - LATEST_CHANGE
    for number, activation in enumerate(activations):
        at = first + (last - first) * (number / max(len(activations) - 1, 1)) ** 0.8
        Activation.objects.filter(pk=activation.pk).update(started_at=at, requested_by=asked_by)
        WorkerReport.objects.filter(activation=activation).update(reported_at=at + timedelta(seconds=0.4))
        if activation.kind == Activation.Kind.UPLOAD:
            Version.objects.filter(pk=activation.version_id).update(uploaded_at=at)
            if activation.version.number == 1:
                Network.objects.filter(pk=activation.version.network_id).update(created_at=at)


def active_numbers(nn_id: str) -> tuple[list[datetime], list[int]]:
    """When which version became active."""
    from inference.models import Activation

    done = Activation.objects.filter(version__network_id=nn_id, outcome=Activation.Outcome.ACTIVATED).order_by("id")
    times = list(done.values_list("started_at", "version__number"))
    return [at for at, _ in times], [number for _, number in times]


def minutes(now: datetime, workers: Sequence[str]) -> Iterator[list[Timing]]:
    """The requests of every minute, until some minutes after `now`."""
    from inference.models import Network
    from inference.statistics.timing import Timing

    source = random.Random(7)
    networks = [(nn_id, *active_numbers(nn_id)) for nn_id in Network.objects.values_list("nn_id", flat=True)]
    shares = [2.0**-number for number in range(len(networks))]
    begin = now.replace(second=0, microsecond=0)
    for start, end in pairwise(begin + number * MINUTE for number in range(-DAYS * 1440, LOOKED_AT_MINUTES + 1)):
        hour = start.hour + start.minute / 60
        busy = REQUESTS_A_MINUTE * (1 - 0.7 * cos((hour - 2) / 12 * pi)) * source.uniform(0.85, 1.15)
        offsets = sorted(source.random() for _ in range(int(busy)))
        timings = []
        for offset, (nn_id, times, numbers) in zip(
            offsets, source.choices(networks, shares, k=len(offsets)), strict=True
        ):
            at = start + (end - start) * offset
            place = bisect(times, at)
            if not place:
                continue  # nothing was active yet
            total = (1.2 + 0.05 * numbers[place - 1]) * source.lognormvariate(0.9, 0.35)
            outcome = "failed" if source.random() < 0.002 else "answered"
            timings.append(
                Timing(at, nn_id, numbers[place - 1], source.choice(workers), 1, source.randint(1, 6), total,
                       total * 0.2, total * 0.15, outcome, "predict")
            )  # fmt: skip
        yield timings


def fill(workers: Sequence[str], asked_by: str) -> None:
    """Write it all."""
    from django.utils import timezone

    from inference.models import PredictionTiming
    from inference.models.rollup import MINUTE_SECONDS, Rollup
    from inference.statistics.tallies import Tallies
    from inference.statistics.writing import write

    now = timezone.now()
    set_back(now, asked_by)
    PredictionTiming.objects.all().delete()
    Rollup.objects.all().delete()
    tallies, kept = Tallies(), []
    rows = {}
    for timings in minutes(now, workers):
        if timings:
            tallies.add(timings, timings[-1].at)
            kept += [timing for timing in timings if now - REQUESTS_KEPT < timing.at < now]
            rows |= {row[:6]: row for row in tallies.changed()}
            tallies.written()
    write(kept, [row for row in rows.values() if row[0] > MINUTE_SECONDS or row[1] > now - MINUTES_KEPT])


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway_site.settings")
    import django

    django.setup()
    fill(sys.argv[2:], sys.argv[1])
