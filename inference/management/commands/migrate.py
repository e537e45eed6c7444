"""Django's `migrate`, one at a time on PostgreSQL: hosts that start together need not be started in turn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.commands import migrate
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

#: Names the lock among those of the database's other users: "pipeline", as PostgreSQL has numbers.
LOCK = int.from_bytes(b"pipeline")


class Command(migrate.Command):
    """As Django's."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Bring the database up to date, when nobody else does."""
        with self._alone(connections[options["database"]]):
            super().handle(*args, **options)

    @contextmanager
    def _alone(self, connection: BaseDatabaseWrapper) -> Iterator[None]:
        """Hold the lock, on a connection of its own, in a transaction: a pooler may give each another session."""
        if connection.vendor != "postgresql":
            yield
            return
        other = connection.copy()
        try:
            other.set_autocommit(False)
            with other.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
                if cursor.fetchone() == (False,):
                    self.stdout.write("Another migrate is at work on this database: waiting until it has ended.")
                    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            yield
        finally:
            other.close()
