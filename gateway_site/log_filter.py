"""Keeps answers that are no defect of ours out of the log."""

from __future__ import annotations

import logging

REFUSALS = (503, 504)


class DefectsOnly(logging.Filter):
    """Drops the line that Django writes for a refusal on purpose: busy, no broker, no worker, too late."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is logged."""
        return getattr(record, "status_code", None) not in REFUSALS
