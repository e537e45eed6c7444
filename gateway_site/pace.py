"""How long a client may take for one request, or to read one answer, in all: whoever sends a byte now and then would
else keep its place for ever.
"""

from __future__ import annotations

from time import monotonic

#: So many times as long as a client may be silent, a request or an answer may take …
PATIENCE = 3.0
#: … and a second longer for so many bytes that come, or go.
LEAST_BYTES_A_SECOND = 16 * 1024


class Pace:
    """The time that is left for one request, or for one answer."""

    __slots__ = ("_until",)

    def __init__(self, silent_seconds: float) -> None:
        """Of a client that may be silent for so long."""
        self._until = monotonic() + PATIENCE * silent_seconds

    def note(self, size: int) -> None:
        """So many bytes have come, or gone."""
        self._until += size / LEAST_BYTES_A_SECOND

    @property
    def seconds_left(self) -> float:
        """How many seconds are left; none, or less, when the client was too slow."""
        return self._until - monotonic()
