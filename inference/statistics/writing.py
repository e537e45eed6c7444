"""How timings and rollups are put into the database: by the cheapest statement that each database has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from inference.models import PredictionTiming, Rollup
from inference.statistics.tallies import COLUMNS, NAMED_BY
from inference.statistics.timing import Timing


def write(timings: Sequence[Timing], rollups: Sequence[tuple[Any, ...]]) -> None:
    """Write timings, and what they add to the statistics, in one transaction, on the caller's connection."""
    adapt = connection.ops.adapt_datetimefield_value
    added = [(period, adapt(start), *rest) for period, start, *rest in rollups]
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            _copy(cursor, timings)
        else:
            insert = _insert_statement(PredictionTiming._meta.db_table, Timing._fields)
            cursor.executemany(insert, list(_rows(timings, "")))
        cursor.executemany(_rollup_statement(), added)


def _copy(cursor: CursorWrapper, timings: Sequence[Timing]) -> None:
    """PostgreSQL takes in a fifth of the time what need not be parsed as a statement."""
    quote = connection.ops.quote_name
    table, names = quote(PredictionTiming._meta.db_table), ", ".join(map(quote, Timing._fields))
    with connection.wrap_database_errors, cursor.cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
        for row in _rows(timings, "+00"):
            copy.write_row(row)


def _rows(timings: Sequence[Timing], offset: str) -> Iterator[tuple[Any, ...]]:
    """The timings with their times as text in UTC; what writes a second's out is done once for all in it."""
    begin = end = datetime.min.replace(tzinfo=UTC)
    text = ""
    for timing in timings:
        at = timing[0]
        if not begin <= at < end:
            begin = at.astimezone(UTC).replace(microsecond=0)
            end = begin + timedelta(seconds=1)
            text = f"{begin:%Y-%m-%d %H:%M:%S}."
        yield f"{text}{at.microsecond:06d}{offset}", *timing[1:]


@cache
def _insert_statement(table: str, fields: tuple[str, ...]) -> str:
    """By hand: Django's bulk_create takes longer for a row than its request waits for the network."""
    quote = connection.ops.quote_name
    names, values = ", ".join(map(quote, fields)), ", ".join(["%s"] * len(fields))
    return f"INSERT INTO {quote(table)} ({names}) VALUES ({values})"  # noqa: S608 - our names


@cache
def _rollup_statement() -> str:
    quote = connection.ops.quote_name
    named_by = ", ".join(map(quote, NAMED_BY))
    new = ", ".join(f"{name} = excluded.{name}" for name in map(quote, COLUMNS))
    insert_it = _insert_statement(Rollup._meta.db_table, (*NAMED_BY, *COLUMNS))
    return f"{insert_it} ON CONFLICT ({named_by}) DO UPDATE SET {new}"
