"""Memory that the processes of one gunicorn share, with a seat for each: there it leaves what it has counted.

Whichever of them is asked for /metrics reads all seats. A process takes its seat over with the counts of the one that
sat there before, so their sum never goes back, also when one is killed. Nothing is on disk, and nothing is left behind.
"""

from __future__ import annotations

import logging
import mmap
import struct
import zlib
from functools import cache

logger = logging.getLogger(__name__)

#: More processes than this one gateway has not; one without a seat tells only of itself.
SEATS = 64
#: A seat holds two texts, so that the one that is whole stays while the next one is written.
TEXT_BYTES = 512 * 1024
_HEAD = struct.Struct("<II")
_SEAT_BYTES = 1 + 2 * (_HEAD.size + TEXT_BYTES)
READ_TRIES = 10
#: What a seat is: one that is given out is told of when who sits there has written, not by what was left there.
FREE, GIVEN, WRITTEN = 0, 1, 2


class Board:
    """Seats by number. gunicorn's first process makes it and gives seats out; each is written by who sits there."""

    def __init__(self, seats: int = SEATS) -> None:
        # Pages that nobody has written to take no memory.
        self._memory = mmap.mmap(-1, seats * (1 + _SEAT_BYTES))
        self._seats = seats

    def take_seat(self) -> int | None:
        """A free seat, taken now; None when there is none."""
        for seat in range(self._seats):
            if self._memory[seat] == FREE:
                self._memory[seat] = GIVEN
                return seat
        return None

    def leave(self, seat: int) -> None:
        """Nobody sits there any more; what was counted there stays."""
        self._memory[seat] = FREE

    def write(self, seat: int, text: bytes) -> None:
        """Leave a text at the seat, instead of the one before."""
        if len(text) > TEXT_BYTES:
            logger.error("%d bytes of metrics are more than a seat holds: the last ones stay.", len(text))
            return
        start = self._start(seat)
        half = 1 - self._memory[start]
        at = start + 1 + half * (_HEAD.size + TEXT_BYTES)
        head = _HEAD.pack(len(text), zlib.crc32(text))
        self._memory[at : at + _HEAD.size + len(text)] = head + text
        self._memory[start] = half
        self._memory[seat] = WRITTEN

    def read(self, seat: int) -> bytes:
        """The text at the seat; nothing when none was written."""
        start = self._start(seat)
        for _ in range(READ_TRIES):  # it may be written twice while it is read, but not again and again
            at = start + 1 + self._memory[start] * (_HEAD.size + TEXT_BYTES)
            size, checksum = _HEAD.unpack_from(self._memory, at)
            text = self._memory[at + _HEAD.size : at + _HEAD.size + min(size, TEXT_BYTES)]
            if zlib.crc32(text) == checksum:
                return text
        raise RuntimeError(f"what is at seat {seat} cannot be read")

    def read_all(self) -> list[tuple[bool, bytes]]:
        """Of each seat, whether somebody sits there and has written, and its text."""
        return [(self._memory[seat] == WRITTEN, self.read(seat)) for seat in range(self._seats)]

    def _start(self, seat: int) -> int:
        return self._seats + seat * _SEAT_BYTES


@cache
def gateway_board() -> Board:
    """The one board of this gunicorn. It reads its configuration again when it reloads, and must not lose the counts:
    processes of before and after work side by side for a while."""
    return Board()


_own: tuple[Board, int] | None = None


def sit_down(board: Board, seat: int) -> None:
    """Have this process sit there."""
    global _own
    _own = board, seat


def own_seat() -> tuple[Board, int]:
    """The board and this process's seat; a board for itself where no gunicorn has given it one."""
    global _own
    if _own is None:
        alone = Board(1)
        alone.take_seat()
        _own = alone, 0
    return _own
