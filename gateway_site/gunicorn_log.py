"""gunicorn's own lines, written as all others are."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger

from workers.log_limit import LimitedLines
from workers.logs import use_formatter
from workers.settings import settings


class GatewayLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's logger, but for its format, and not as many lines as strangers may cause."""

    _limit = LimitedLines()

    def setup(self, cfg: Any) -> None:
        """Set it up as gunicorn does, and then so."""
        super().setup(cfg)
        self.error_log.addFilter(self._limit)  # once, however often it is set up: it is always the same
        use_formatter(self.error_log)
        if settings().log_format == "json":
            use_formatter(self.access_log)
