"""Django's backend for SQLite; a gateway process makes no database where there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db.backends.sqlite3 import base

from inference.databases.waiting import LOCK_SECONDS, waits_are_bounded


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
