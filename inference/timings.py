"""Request timings on their way to the database: a bounded buffer, and a thread that writes it in bulk."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Sequence
from functools import cache, partial
from itertools import islice
from typing import Any

from django.db import DataError, IntegrityError, connection, transaction
from django.db import Error as DatabaseError
from django.utils import timezone

from inference.database import on_live_connection
from inference.models import PredictionTiming
from inference.service_thread import ServiceThread
from inference.statistics.rollup import Rollup
from inference.statistics.tallies import COLUMNS, NAMED_BY, Tallies
from inference.statistics.timing import Timing

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 0.5
ROWS_A_STATEMENT = 500
#: Timings kept in memory while the database does not take them; what comes beyond is counted and dropped.
BUFFERED_TIMINGS_MAX = 50_000


class Timings:
    """Owns the buffer and the writer thread."""

    def __init__(self) -> None:
        self.dropped = 0
        self._buffer: deque[Timing] = deque()
        self._tallies = Tallies()
        #: So many timings at the buffer's beginning are counted already, and not written yet.
        self._counted = 0
        self._wake = threading.Event()
        self._writing = threading.Lock()
        self._thread = ServiceThread("timings", self._write_next, finish=self._flush_or_keep)

    def start(self) -> None:
        """Start writing."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is buffered, and end the thread."""
        self._wake.set()
        self._thread.stop()

    def add(self, timing: Timing) -> None:
        """Note a timing; it reaches the database within a second."""
        if len(self._buffer) >= BUFFERED_TIMINGS_MAX:
            self.dropped += 1
            if self.dropped % ROWS_A_STATEMENT == 1:
                logger.warning("The buffer of timings is full: %d dropped so far.", self.dropped)
            return
        self._buffer.append(timing)

    def flush(self) -> None:
        """Write what is buffered now, on the caller's connection.

        Raises:
            django.db.DatabaseError: the database does not take it; it stays buffered.
        """
        with self._writing:
            while self._buffer:
                count = min(len(self._buffer), ROWS_A_STATEMENT)
                batch = list(islice(self._buffer, count))
                self._tallies.add(batch[self._counted :], timezone.now())
                self._counted = count
                try:
                    on_live_connection(partial(insert, batch, self._tallies.changed()))
                    self._tallies.written()
                except (DataError, IntegrityError, ValueError):
                    self._tallies.forget()
                    self.dropped += count
                    logger.exception("Dropping %d timings that the database refuses; %d in all.", count, self.dropped)
                for _ in range(count):
                    self._buffer.popleft()
                self._counted = 0

    def flush_soon(self) -> None:
        """Have the writer thread write what is buffered now."""
        self._wake.set()

    def _write_next(self) -> None:
        self._wake.wait(FLUSH_SECONDS)
        self._wake.clear()
        self._flush_or_keep()

    def _flush_or_keep(self) -> None:
        try:
            self.flush()
        except DatabaseError as error:
            logger.warning("Keeping %d timings until the database takes them: %s", len(self._buffer), error)


def insert(timings: Sequence[Timing], rollups: Sequence[tuple[Any, ...]]) -> None:
    """Write timings, and what they add to the statistics, in one transaction, on the caller's connection."""
    adapt = connection.ops.adapt_datetimefield_value
    rows = [(adapt(timing.at), *timing[1:]) for timing in timings]
    added = [(period, adapt(start), *rest) for period, start, *rest in rollups]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(_insert_statement(PredictionTiming._meta.db_table, Timing._fields), rows)
        cursor.executemany(_rollup_statement(), added)


@cache
def _insert_statement(table: str, fields: Sequence[str]) -> str:
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
