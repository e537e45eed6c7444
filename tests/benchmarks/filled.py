"""A database full of timings and rollups, made quickly: for measuring how long it takes to ask it something."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice, product
from typing import Any

from django.db import connection, transaction

from inference.dispatch.predict_input import PREDICT_DOOR
from inference.models import PredictionTiming
from inference.models.rollup import EVERY_NETWORK, HOUR_SECONDS, MINUTE_SECONDS, Rollup
from inference.statistics.histogram import bucket_of, to_bytes
from inference.statistics.tallies import COLUMNS, NAMED_BY, Tallies
from inference.statistics.timing import Timing

NETWORKS = ("a" * 32, "b" * 32)
WORKERS = tuple(f"worker-{number}@host-{number % 2}.example.com" for number in range(4))
WRITERS = 2
VERSIONS = 1000
TIMINGS_DAYS = 7
MINUTE_DAYS = 2
HOUR_DAYS = 365
#: Networks that are seldom asked: eight times an hour each, once by each worker and writer; their hours are of a week.
OTHERS = 999
OTHERS_DAYS = 7
ROWS_A_TRANSACTION = 20_000

#: Of 1,000 requests 5 failed, 2 timed out and 3 were refused. A version lasts for ten minutes; the second network gets
#: one request in eight. Times are log-normal around 7 ms.
_NUMBERS = {
    "postgresql": {
        "series": "generate_series(0::bigint, %(count)s - 1) AS s(n)",
        "at": "%(since)s::timestamptz + n * %(step_us)s * interval '1 microsecond'",
        "total": "exp(2 + 0.7 * (random() + random() + random() + random() - 2) * 1.7)",
    },
    "sqlite": {
        "series": "(WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n + 1 < %(count)s)"
        " SELECT n FROM s)",
        "at": "strftime('%%Y-%%m-%%d %%H:%%M:%%f000', julianday(%(since)s) + n * %(step_us)s / 86400e6)",
        "total": "exp(1.19 * (abs(random()) + abs(random()) + abs(random()) + abs(random())) / 9.22e18 - 0.38)",
    },
}


def fill_timings(count: int, until: datetime) -> None:
    """So many timings, in the seven days before `until`, by one statement; the indexes are made again afterwards."""
    its = _NUMBERS[connection.vendor]
    fields = ", ".join(connection.ops.quote_name(field) for field in Timing._fields)
    workers = " ".join(f"WHEN {number} THEN '{name}'" for number, name in enumerate(WORKERS))
    statement = f"""
        INSERT INTO {PredictionTiming._meta.db_table} ({fields})
        SELECT {its["at"]}, CASE WHEN n %% 8 = 0 THEN '{NETWORKS[1]}' ELSE '{NETWORKS[0]}' END,
            1 + n * {VERSIONS} / %(count)s, CASE n %% 4 {workers} END, 1, 20, {its["total"]}, 1.0, 0.5,
            CASE WHEN n %% 1000 < 5 THEN 'failed' WHEN n %% 1000 < 7 THEN 'timed_out' WHEN n %% 1000 < 10 THEN 'refused'
            ELSE 'answered' END, '{PREDICT_DOOR}'
        FROM {its["series"]}"""  # noqa: S608 - our names
    since = until - timedelta(days=TIMINGS_DAYS)
    parameters = {"count": count, "since": since, "step_us": TIMINGS_DAYS * 86_400_000_000 // count}
    if connection.vendor == "sqlite":
        parameters["since"] = since.strftime("%Y-%m-%d %H:%M:%S")
    indexes = PredictionTiming._meta.indexes
    with connection.schema_editor() as editor:
        for index in indexes:
            editor.remove_index(PredictionTiming, index)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
    with connection.schema_editor() as editor:
        for index in indexes:
            editor.add_index(PredictionTiming, index)


def fill_rollups(until: datetime) -> int:
    """What two gateway processes write in a year, with their minutes of two days; returns the number of rows."""
    return _put(_rollups(until))


def _put(rows: Iterator[tuple[Any, ...]]) -> int:
    """Write rows that are as `Tallies.changed` has them; returns how many."""
    fields = (*NAMED_BY, *COLUMNS)
    table, names = Rollup._meta.db_table, ", ".join(map(connection.ops.quote_name, fields))
    written = 0
    while some := list(islice(rows, ROWS_A_TRANSACTION)):
        with transaction.atomic(), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                with cursor.cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                    for row in some:
                        copy.write_row(row)
            else:
                insert = f"INSERT INTO {table} ({names}) VALUES ({', '.join(['%s'] * len(fields))})"  # noqa: S608
                adapt = connection.ops.adapt_datetimefield_value
                cursor.executemany(insert, [(period, adapt(start), *rest) for period, start, *rest in some])
        written += len(some)
    return written


def _rollups(until: datetime) -> Iterator[tuple[Any, ...]]:
    samples = {MINUTE_SECONDS: _sample(until, 300), HOUR_SECONDS: _sample(until, 10_000)}
    for seconds, days in ((MINUTE_SECONDS, MINUTE_DAYS), (HOUR_SECONDS, HOUR_DAYS)):
        starts = _starts(until, seconds, days)
        for number, start in enumerate(starts):
            # Older hours are merged.
            writers = WRITERS if start > starts[-1] - MINUTE_DAYS * 86_400 else 1
            version = 1 + number * VERSIONS // len(starts)
            named = [(EVERY_NETWORK, 0), *((nn_id, version) for nn_id in NETWORKS)]
            for place, (name, worker, writer) in enumerate(product(named, WORKERS, range(writers))):
                key = seconds, datetime.fromtimestamp(start, UTC), *name, worker
                columns = samples[seconds][(number + place) % len(samples[seconds])]
                yield *key, f"{writer:016x}", *columns


def other_networks(count: int = OTHERS) -> list[str]:
    """The names of the networks that are seldom asked."""
    return [f"{number:032x}" for number in range(1, count + 1)]


def fill_other_rollups(until: datetime, others: int = OTHERS) -> int:
    """The statistics of the networks that are seldom asked; returns the number of rows."""
    return _put(_other_rollups(until, other_networks(others)))


def _other_rollups(until: datetime, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    pairs = list(product(WORKERS, range(WRITERS)))
    bucket = bucket_of(7.0)
    one, two = ((n, 0, 0, 0, n, 7.0 * n, 1.0 * n, 0.5 * n, to_bytes({bucket: n})) for n in (1, 2))
    for minute in _starts(until, MINUTE_SECONDS, MINUTE_DAYS):
        at = datetime.fromtimestamp(minute, UTC)
        for place, (worker, writer) in enumerate(pairs):
            for name in names[(place * 7 - minute // MINUTE_SECONDS) % 60 :: 60]:
                yield MINUTE_SECONDS, at, name, 1, worker, f"{writer:016x}", *one
    for hour in _starts(until, HOUR_SECONDS, OTHERS_DAYS):
        at, merged = datetime.fromtimestamp(hour, UTC), until.timestamp() - hour > 86_400
        for name, (worker, writer) in product(names, pairs):
            if not merged or writer == 0:
                yield HOUR_SECONDS, at, name, 1, worker, f"{writer:016x}", *(two if merged else one)


def _starts(until: datetime, seconds: int, days: int) -> range:
    end = int(until.timestamp()) // seconds * seconds
    return range(end - days * 86_400, end + 1, seconds)


def _sample(until: datetime, count: int) -> list[tuple[Any, ...]]:
    """The columns of some rollups of so many requests each."""
    source, found = random.Random(1), []
    for _ in range(10):
        tallies = Tallies()
        times = [source.lognormvariate(2.0, 0.7) for _ in range(count)]
        tallies.add([Timing(until, "", 0, "", 1, 20, ms, 1.0, 0.5, "answered", PREDICT_DOOR) for ms in times], until)
        found.append(tallies.changed()[0][len(NAMED_BY) :])
    return found
