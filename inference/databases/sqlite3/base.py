"""Django's backend for SQLite; a gateway process makes no database where there is none."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path
from typing import Any

from django.db.backends.sqlite3 import base

from inference.databases.waiting import LOCK_SECONDS, waits_are_bounded

logger = logging.getLogger(__name__)
#: Of the files that were looked at in this process.
_told: set[str] = set()


class DatabaseWrapper(base.DatabaseWrapper):
    """One thread's; it may set `answer_seconds` before it connects."""

    answer_seconds: float | None = None

    def get_connection_params(self) -> dict[str, Any]:
        """As Django's. A file that was moved away is an error: SQLite would make an empty one in its place."""
        params: dict[str, Any] = super().get_connection_params()
        if waits_are_bounded() or self.answer_seconds is not None:
            params["timeout"] = self.answer_seconds or LOCK_SECONDS
        file = Path(str(params["database"]))
        if waits_are_bounded() and file.is_absolute():
            params["database"] = f"{file.as_uri()}?mode=rw"
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> sqlite3.Connection:
        """As Django's; where SQLite does not get what it was asked for, that is told."""
        connection: sqlite3.Connection = super().get_new_connection(conn_params)
        file = str(conn_params["database"])
        if file not in _told:
            _told.add(file)
            (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
            if mode not in ("wal", "memory"):
                logger.warning(
                    "SQLite keeps no write-ahead log at %s (its journal is %r): who reads and who writes wait for each "
                    "other. Put PIPELINE_DATA_DIR on a local disk, or set DATABASE_URL to a PostgreSQL.",
                    file,
                    mode,
                )
        return connection
