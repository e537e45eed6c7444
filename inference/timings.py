"""Request timings on their way to the database: a bounded buffer, and a thread that writes it in bulk."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from functools import cache, partial
from itertools import islice
from typing import NamedTuple

from django.db import DataError, IntegrityError, connection, transaction
from django.db import Error as DatabaseError

from inference.database import on_live_connection
from inference.models import PredictionTiming
from inference.service_thread import ServiceThread

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 0.5
ROWS_A_STATEMENT = 500
#: Timings kept in memory while the database does not take them; what comes beyond is counted and dropped.
BUFFERED_TIMINGS_MAX = 50_000


class Timing(NamedTuple):
    """A row of `PredictionTiming` to be: a model's object costs five times as much, for each request."""

    at: datetime
    nn_id: str
    version: int | None
    worker: str
    rows: int
    batch_rows: int
    total_ms: float
    queue_ms: float
    inference_ms: float
    outcome: str


class Timings:
    """Owns the buffer and the writer thread."""

    def __init__(self) -> None:
        self.dropped = 0
        self._buffer: deque[Timing] = deque()
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
                try:
                    on_live_connection(partial(insert, batch))
                except (DataError, IntegrityError, ValueError):
                    self.dropped += count
                    logger.exception("Dropping %d timings that the database refuses; %d in all.", count, self.dropped)
                for _ in range(count):
                    self._buffer.popleft()

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


def insert(timings: Sequence[Timing]) -> None:
    """Write timings in one transaction, on the caller's connection."""
    adapt = connection.ops.adapt_datetimefield_value
    rows = [(adapt(timing.at), *timing[1:]) for timing in timings]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(_insert_statement(), rows)


@cache
def _insert_statement() -> str:
    """By hand: Django's bulk_create takes longer for a row than its request waits for the network."""
    quote = connection.ops.quote_name
    names = ", ".join(map(quote, Timing._fields))
    values = ", ".join(["%s"] * len(Timing._fields))
    return f"INSERT INTO {quote(PredictionTiming._meta.db_table)} ({names}) VALUES ({values})"  # noqa: S608 - our names
