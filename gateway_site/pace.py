"""How fast a client has to be: whoever sends, or reads, a byte now and then would else keep its place for ever."""

from __future__ import annotations

#: So many times as long as a client may be silent, a request, or the reading of an answer, may take …
PATIENCE = 3.0
#: … and a second longer for so many bytes that come, or go.
LEAST_BYTES_A_SECOND = 16 * 1024


class Pace:
    """That of one client while it sends, or while it reads; only the time that it is waited for counts."""

    __slots__ = ("_silent_seconds", "seconds_left", "silent")

    def __init__(self, silent_seconds: float) -> None:
        """Of a client that may be silent for so long."""
        self._silent_seconds = silent_seconds
        self.begin()

    def begin(self) -> None:
        """Something new is waited for."""
        #: For how long nothing has come, or gone, and how long it may take in all.
        self.silent, self.seconds_left = 0.0, PATIENCE * self._silent_seconds

    def note(self, size: int) -> None:
        """So many bytes have come, or gone."""
        self.silent = 0.0
        self.seconds_left += size / LEAST_BYTES_A_SECOND

    def is_lost(self, waited: float) -> bool:
        """It has been waited for, so many seconds longer: is that too long?"""
        self.silent += waited
        self.seconds_left -= waited
        return self.silent > self._silent_seconds or self.seconds_left < 0
