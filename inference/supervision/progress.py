"""Shows what a start is doing and for how long: one rewritten line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

PLAIN_EVERY_SECONDS = 5.0
ERASE_LINE = "\r\x1b[K"


class Stream(Protocol):
    """Where progress is written."""

    def write(self, text: str, /) -> object:
        """Write text."""

    def flush(self) -> object:
        """Send what was written."""

    def isatty(self) -> bool:
        """Whether a person looks at it."""


class Progress:
    """Writes the steps of a start to a stream."""

    def __init__(self, stream: Stream, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._terminal = stream.isatty()

    def say(self, line: str) -> None:
        """Write one line."""
        self._stream.write(line + "\n")
        self._stream.flush()

    @contextmanager
    def step(self, text: str) -> Iterator[Callable[[], None]]:
        """Show `text` while the block runs, and how long it took when it is done.

        The block calls what it gets as often as it likes, so that the seconds move.
        """
        started = shown = self._clock()
        self._show(f"{text} …")

        def tick() -> None:
            nonlocal shown
            now = self._clock()
            if now - shown >= (1.0 if self._terminal else PLAIN_EVERY_SECONDS):
                shown = now
                self._show(f"{text} … {now - started:.0f} s")

        try:
            yield tick
        except BaseException:
            if self._terminal:
                self._stream.write("\n")
            raise
        self.say(f"{ERASE_LINE if self._terminal else ''}{text}: {self._clock() - started:.1f} s")

    def _show(self, line: str) -> None:
        self._stream.write(f"{ERASE_LINE}{line}" if self._terminal else f"{line}\n")
        self._stream.flush()
