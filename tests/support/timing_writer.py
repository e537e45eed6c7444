"""A process that writes timings as a gateway process does, and prunes without resting: `python -m` this, FLUSHES.

Half of its timings are of two days ago, so that rows of one hour are written and merged at the same time.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta

TIMINGS_A_FLUSH = 200


def write(flushes: int) -> None:
    """Write so many times, and say so after each."""
    from django.utils import timezone

    from inference.dispatch.predict_input import PREDICT_DOOR
    from inference.statistics import pruner as pruner_module
    from inference.statistics.pruner import Pruner
    from inference.statistics.timing import Timing
    from inference.statistics.timings import Timings

    pruner_module.REST_SECONDS, pruner_module.TURN_SECONDS = 0.0, 0.02
    timings, pruner = Timings(), Pruner(timezone.now)
    for flush in range(flushes):
        for number in range(TIMINGS_A_FLUSH):
            at = timezone.now() - timedelta(days=2 * (number % 2))
            worker = f"worker-{number // 2 % 3}@here"
            timings.add(Timing(at, "a" * 32, 3, worker, 1, 1, 1.0 + number, 1.0, 0.5, "answered", PREDICT_DOOR))
        timings.flush()
        pruner.take_turn()
        print(flush, flush=True)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway_site.settings")
    import django

    django.setup()
    write(int(sys.argv[1]))
