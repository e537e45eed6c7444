"""Request timings on their way to the database: a bounded buffer, and a thread that writes it in bulk."""

from __future__ import annotations

import logging
import threading
from collections import deque

from django.db import DatabaseError, connection

from inference.database import on_live_connection
from inference.models import PredictionTiming

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 0.5
ROWS_A_STATEMENT = 500
#: Timings kept in memory while the database does not take them; what comes beyond is counted and dropped.
BUFFERED_TIMINGS_MAX = 50_000


class Timings:
    """Owns the buffer and the writer thread."""

    def __init__(self) -> None:
        self.dropped = 0
        self._buffer: deque[PredictionTiming] = deque()
        self._wake = threading.Event()
        self._stopping = False
        self._writing = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="timings", daemon=True)

    def start(self) -> None:
        """Start writing."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is buffered, and end the thread."""
        self._stopping = True
        self._wake.set()
        self._thread.join(10)

    def add(self, timing: PredictionTiming) -> None:
        """Note a timing; it reaches the database within a second."""
        if len(self._buffer) >= BUFFERED_TIMINGS_MAX:
            self.dropped += 1
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
                batch = [self._buffer[index] for index in range(count)]
                on_live_connection(lambda batch=batch: PredictionTiming.objects.bulk_create(batch))  # type: ignore[misc]
                for _ in range(count):
                    self._buffer.popleft()

    def flush_soon(self) -> None:
        """Have the writer thread write what is buffered now."""
        self._wake.set()

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._wake.wait(FLUSH_SECONDS)
                self._wake.clear()
                self._flush_or_keep()
            self._flush_or_keep()
        finally:
            connection.close()

    def _flush_or_keep(self) -> None:
        try:
            self.flush()
        except DatabaseError as error:
            logger.warning("Keeping %d timings until the database takes them: %s", len(self._buffer), error)
