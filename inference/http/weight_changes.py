"""How many weight changes a gateway process makes at once: each holds a thread, while it is sent and workers load."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from inference.errors import BusyError, DatabaseAwayError
from inference.gateway import gateway

_lock = threading.Lock()
_running = 0


@contextmanager
def weight_change() -> Iterator[None]:
    """Count an upload, an activation or a rollback while the block runs, which also reads the request's body.

    Raises:
        BusyError: as many run as may; nothing of the request is kept.
        DatabaseAwayError: nothing could be kept.
    """
    if gateway().versions.database_away:
        raise DatabaseAwayError("the database does not answer: nothing was stored; try again")
    if not _begin():
        most = settings.PIPELINE_WEIGHT_CHANGES_MAX
        raise BusyError(f"this gateway already makes {most} weight changes, as many as it may: try again")
    try:
        yield
    finally:
        _end()


def _begin() -> bool:
    global _running
    with _lock:
        if _running >= settings.PIPELINE_WEIGHT_CHANGES_MAX:
            return False
        _running += 1
        return True


def _end() -> None:
    global _running
    with _lock:
        _running -= 1
