"""Keeps what strangers cause out of the log, beyond some lines a second: a log is for those who read it."""

from __future__ import annotations

import logging
from time import monotonic

LINES_A_SECOND = 10


class LimitedLines(logging.Filter):
    """Lets so many lines a second through; the next one that comes through tells how many did not."""

    def __init__(self, lines_a_second: int = LINES_A_SECOND) -> None:
        super().__init__()
        self._most = lines_a_second
        self._second = 0
        self._passed = self._left_out = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is logged."""
        second = int(monotonic())
        if second != self._second:
            self._second, self._passed = second, 0
        if self._passed >= self._most:
            self._left_out += 1
            return False
        self._passed += 1
        if self._left_out:
            record.msg = f"{record.msg} ({self._left_out} lines like this were left out before)"
            self._left_out = 0
        return True
