"""Database access from threads that live as long as the process and keep their connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

T = TypeVar("T")


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
