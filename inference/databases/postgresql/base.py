"""Django's backend for PostgreSQL; in a gateway process no wait for an answer is without end."""

from __future__ import annotations

from typing import Any, TypeVar

import psycopg
from django.db.backends.postgresql import base
from psycopg.abc import PQGen
from psycopg.errors import _WaitTimeout

from inference.databases.waiting import ANSWER_SECONDS, CONNECT_SECONDS, waits_are_bounded

T = TypeVar("T")

#: How often psycopg looks whether Ctrl-C was pressed; its own default.
INTERVAL_SECONDS = 0.1


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that is closed when an answer takes too long: what comes later would be taken for the next one's."""

    answer_seconds: float | None = None

    def wait(self, gen: PQGen[T], interval: float = INTERVAL_SECONDS, timeout: float | None = None) -> T:
        """What the generator returns.

        Raises:
            psycopg.OperationalError: the server has not answered in time.
        """
        try:
            return super().wait(gen, interval, self.answer_seconds if timeout is None else timeout)
        except _WaitTimeout:
            if timeout is not None:
                raise
            self.pgconn.finish()
            raise psycopg.OperationalError(f"PostgreSQL has not answered for {self.answer_seconds:g} s") from None


class DatabaseWrapper(base.DatabaseWrapper):
    """One thread's; it may set `answer_seconds` before it connects."""

    answer_seconds: float | None = None

    def get_connection_params(self) -> dict[str, Any]:
        """As Django's, but connecting has a deadline."""
        return {"connect_timeout": CONNECT_SECONDS, **super().get_connection_params()}

    def get_new_connection(self, conn_params: dict[str, Any]) -> BoundedConnection:
        """As Django's, without what DATABASE_URL cannot say: a pool, another isolation level."""
        self.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        connection = BoundedConnection.connect(**conn_params)
        connection.answer_seconds = self.answer_seconds or (ANSWER_SECONDS if waits_are_bounded() else None)
        return connection
