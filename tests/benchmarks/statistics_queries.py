"""How long statistics and lists of requests take with 10 million timings, and a year of rollups, in the database.

Run it with `scripts/bench statistics_queries`: in a private PostgreSQL; with `--database sqlite`, one million timings.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any

from tests.benchmarks.report import Row, parser, report
from tests.support.postgresql import PrivatePostgresql

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SHOWN = 100
LOOKED_THROUGH = 100_000
NEWEST, SLOWEST = ("-at", "-id"), ("-total_ms", "-id")
Query = Callable[[], object]


@contextmanager
def database(vendor: str) -> Iterator[None]:
    """An empty database that Django uses."""
    with tempfile.TemporaryDirectory() as directory:
        os.environ |= {"PIPELINE_DATA_DIR": directory, "DJANGO_SETTINGS_MODULE": "gateway_site.settings"}
        server = PrivatePostgresql() if vendor == "postgresql" else None
        os.environ["DATABASE_URL"] = ""
        if server is not None:
            server.start()
            os.environ["DATABASE_URL"] = server.url
        try:
            import django
            from django.core.management import call_command
            from django.db import connection

            django.setup()
            call_command("migrate", verbosity=0)
            yield
            connection.close()
        finally:
            if server is not None:
                server.stop()


def filled(count: int, until: datetime, *, others: bool = False) -> None:
    """Fill the database, with many other networks' statistics when they are asked for; let it look at what it has."""
    from django.db import connection

    from tests.benchmarks.filled import fill_other_rollups, fill_rollups, fill_timings

    started = perf_counter()
    fill_timings(count, until)
    print(f"{count} timings after {perf_counter() - started:.0f} s", flush=True)
    rollups = fill_rollups(until) + (fill_other_rollups(until) if others else 0)
    print(f"{rollups} rows of statistics after {perf_counter() - started:.0f} s", flush=True)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def statistics_queries(until: datetime) -> dict[str, Query]:
    """What a dashboard asks."""
    from inference.statistics.summary import by_version, by_worker, series, summary
    from tests.benchmarks.filled import NETWORKS, WORKERS

    quarter, network, worker = timedelta(minutes=15), NETWORKS[0], WORKERS[1]
    return {
        "summary of an hour": lambda: summary(until - HOUR, until),
        "summary of a day": lambda: summary(until - DAY, until),
        "summary of a week": lambda: summary(until - 7 * DAY, until),
        "summary of a year": lambda: summary(until - 365 * DAY, until),
        "summary of a week, one worker": lambda: summary(until - 7 * DAY, until, worker=worker),
        "series of an hour by the minute": lambda: series(until - HOUR, until, timedelta(minutes=1)),
        "series of a day by 15 minutes": lambda: series(until - DAY, until, quarter),
        "series of a day by the hour": lambda: series(until - DAY, until, HOUR),
        "series of a week by the hour": lambda: series(until - 7 * DAY, until, HOUR),
        "by_version of a day": lambda: by_version(network, until - DAY, until),
        "by_version of a year": lambda: by_version(network, until - 365 * DAY, until),
        "by_worker of a day": lambda: by_worker(until - DAY, until),
    }


def list_queries(until: datetime) -> dict[str, Query]:
    """What a page of requests asks: filters over the latest of a time, newest or slowest first."""
    from inference.models import PredictionTiming
    from tests.benchmarks.filled import NETWORKS, VERSIONS, WORKERS

    def ask(order: tuple[str, ...], **which: Any) -> list[Any]:
        times = {name: which.pop(name) for name in list(which) if name.startswith("at")}
        requests = PredictionTiming.objects.filter(**times)
        if which or order == SLOWEST:
            # No index leads to these: an index of each would cost every request more than its timing does.
            nth = requests.order_by("-at").values_list("at", flat=True)[LOOKED_THROUGH : LOOKED_THROUGH + 1]
            requests = requests.filter(at__gt=next(iter(nth), until - 365 * DAY))
        return list(requests.filter(**which).order_by(*order)[:SHOWN])

    week_ago = {"at__gte": until - 6 * DAY, "at__lt": until - 6 * DAY + HOUR}
    filters: dict[str, dict[str, Any]] = {
        "all": {},
        "of the last hour": {"at__gte": until - HOUR},
        "of an hour a week ago": week_ago,
        "failed": {"outcome": "failed"},
        "of a network": {"nn_id": NETWORKS[1]},
        "of an old version": {"nn_id": NETWORKS[1], "version": 3},
        "of a recent version": {"nn_id": NETWORKS[0], "version": VERSIONS},
        "of a worker": {"worker": WORKERS[2]},
        "of a worker that is unknown": {"worker": "gone@nowhere"},
        "of a network, a worker and an hour a week ago": {**week_ago, "nn_id": NETWORKS[1], "worker": WORKERS[0]},
    }
    return {
        f"{name} requests {which}": partial(ask, order, **asked)
        for which, asked in filters.items()
        for name, order in (("newest", NEWEST), ("slowest", SLOWEST))
    }


def measured(queries: dict[str, Query], runs: int) -> list[Row]:
    """Each query's first and its median time."""
    rows: list[Row] = []
    for name, query in queries.items():
        times = []
        for _ in range(runs):
            started = perf_counter()
            query()
            times.append((perf_counter() - started) * 1000)
        rows.append({"query": name, "first ms": times[0], "median ms": median(times)})
        print(f"{name:60} {times[0]:9.1f} {median(times):9.1f}", flush=True)
    return rows


def main() -> None:
    """Measure one database and report."""
    options = parser(__doc__)
    options.add_argument("--database", choices=["postgresql", "sqlite"], default="postgresql")
    options.add_argument("--timings", type=int, help="default: 10 million in PostgreSQL, one million in SQLite")
    options.add_argument("--runs", type=int, default=5, help="of each query; default: %(default)s")
    chosen = options.parse_args()
    count = chosen.timings or {"postgresql": 10_000_000, "sqlite": 1_000_000}[chosen.database]
    with database(chosen.database):
        until = datetime.now(UTC)
        filled(count, until)
        rows = measured(statistics_queries(until) | list_queries(until), chosen.runs)
    report(f"statistics-{chosen.database}", rows, chosen.out)


if __name__ == "__main__":
    main()
