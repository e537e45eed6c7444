"""A thread of the gateway that lives as long as the process, whatever happens in it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from django.db import connection

logger = logging.getLogger(__name__)

#: How long a thread rests after something unexpected, so that it does not fill the log.
PAUSE_SECONDS = 0.5


class ServiceThread:
    """Takes one turn after the other until it is stopped; a turn that fails is logged, and the next one comes."""

    def __init__(self, name: str, turn: Callable[[], None], finish: Callable[[], None] = lambda: None) -> None:
        self._turn = turn
        self._finish = finish
        self.stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, wait_seconds: float = 6.0) -> None:
        """Ask the thread to end after its turn, and wait for it."""
        self.stopping.set()
        if self._thread.is_alive():
            self._thread.join(wait_seconds)

    def _run(self) -> None:
        try:
            while not self.stopping.is_set():
                self._take_turn()
            self._finish()
        finally:
            connection.close()

    def _take_turn(self) -> None:
        try:
            self._turn()
        except Exception:
            logger.exception("The thread %s goes on after an unexpected error.", self._thread.name)
            self.stopping.wait(PAUSE_SECONDS)
