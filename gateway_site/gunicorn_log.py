"""gunicorn's own lines, written as all others are."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger

from workers.logs import use_formatter


class GatewayLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's logger, but for its format."""

    def setup(self, cfg: Any) -> None:
        """Set it up as gunicorn does, and then so."""
        super().setup(cfg)
        use_formatter(self.error_log)
