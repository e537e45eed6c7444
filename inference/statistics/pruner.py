"""The writer thread's way to prune: a little after each flush while there is something to prune, else now and then."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from time import monotonic, sleep

from django.db import Error as DatabaseError

from inference.databases.live_connection import on_live_connection
from inference.statistics.retention import prune_step

logger = logging.getLogger(__name__)

#: How long it rests when there is nothing to prune.
REST_SECONDS = 10.0
#: How long it may keep the writer thread from the next flush.
TURN_SECONDS = 0.1
#: Between two steps, so that those who wait to write get their turn.
PAUSE_SECONDS = 0.005


class Pruner:
    """Owns when the next step is due."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._due = monotonic() + REST_SECONDS

    def take_turn(self) -> None:
        """Take some steps when they are due; what the database does not take is tried again later."""
        if monotonic() < self._due:
            return
        try:
            done = self._prune(monotonic() + TURN_SECONDS)
        except DatabaseError as error:
            logger.warning("Old timings and statistics stay for now: %s", error)
            done = True
        if done:
            self._due = monotonic() + REST_SECONDS

    def _prune(self, until: float) -> bool:
        """Whether nothing is left to prune."""
        while on_live_connection(lambda: prune_step(self._clock())):
            if monotonic() >= until:
                return False
            sleep(PAUSE_SECONDS)
        return True
