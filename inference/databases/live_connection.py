"""Database access from threads that live as long as the process and keep their connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from django.db import Error, InterfaceError, OperationalError, connection

T = TypeVar("T")

POSTGRESQL_DISK_FULL = "53100"


def on_live_connection(query: Callable[[], T]) -> T:
    """The result of `query`; a connection that turns out to be dead is opened anew, once.

    Raises:
        django.db.Error: it fails on a new connection as well.
    """
    try:
        return query()
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block:
            raise
        connection.close()
        return query()


def is_disk_full(error: Error) -> bool:
    """Whether an error of the database, SQLite or PostgreSQL, says that its disk is full."""
    cause = error.__cause__
    return (
        getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        or getattr(cause, "sqlstate", None) == POSTGRESQL_DISK_FULL
    )
