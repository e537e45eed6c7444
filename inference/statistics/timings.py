"""Request timings on their way to the database: a bounded buffer, and a thread that writes it in bulk."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.db import DataError, IntegrityError
from django.db import Error as DatabaseError
from django.utils import timezone

from inference.databases.live_connection import on_live_connection
from inference.service_thread import ServiceThread
from inference.statistics.pruner import Pruner
from inference.statistics.tallies import Tallies
from inference.statistics.timing import Timing
from inference.statistics.writing import write

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 0.5
ROWS_A_STATEMENT = 500
#: Timings kept in memory while the database does not take them; what comes beyond is counted and dropped.
BUFFERED_TIMINGS_MAX = 50_000


class Timings:
    """Owns the buffer and the writer thread."""

    def __init__(
        self, clock: Callable[[], datetime] = timezone.now, also_write: Callable[[], None] = lambda: None
    ) -> None:
        """`also_write` is what else the thread writes, each turn."""
        self.dropped = 0
        self._clock = clock
        self._buffer: deque[Timing] = deque()
        self._tallies = Tallies()
        self._pruner = Pruner(clock)
        self._also_write = also_write
        #: So many timings at the buffer's beginning are counted already, and not written yet.
        self._counted = 0
        self._wake = threading.Event()
        self._writing = threading.Lock()
        self._thread = ServiceThread("timings", self._write_next, finish=self._write_all)

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
                # By their places: more are added meanwhile, which who iterates would trip over.
                batch = [self._buffer[place] for place in range(count)]
                try:
                    self._tallies.add(batch[self._counted :], self._clock())
                    self._counted = count
                    on_live_connection(partial(write, batch, self._tallies.changed()))
                    self._tallies.written()
                except (DataError, IntegrityError, OverflowError, ValueError, KeyError):
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
        self._write_all()
        self._pruner.take_turn()

    def _write_all(self) -> None:
        self._flush_or_keep()
        self._also_write()

    def _flush_or_keep(self) -> None:
        try:
            self.flush()
        except DatabaseError as error:
            logger.warning("Keeping %d timings until the database takes them: %s", len(self._buffer), error)
