"""Old gateway processes serve until the new ones do: on a reload gunicorn ends the old ones while those still start.

Nobody would accept connections meanwhile. All processes share a few bytes of memory, made before the first fork: which
generation is the current one, and who of it serves.
"""

from __future__ import annotations

import mmap
import struct
from functools import cache

#: The generation, and how many processes it is to have.
_NUMBERS = struct.Struct("II")
#: A byte for each process that starts, by its age; more than are ever there at the same time.
SEATS = 4096


class Succession:
    """The generations of one gunicorn; the first process counts them, each process writes a byte of its own."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _NUMBERS.size + SEATS)
        #: This process's own age, and the generation that it is of.
        self._age = self._own = 0

    @property
    def generation(self) -> int:
        """How often gunicorn has reloaded."""
        return int(_NUMBERS.unpack_from(self._memory)[0])

    @property
    def is_replaced(self) -> bool:
        """Whether there is a newer generation than this process's."""
        return self.generation != self._own

    @property
    def only_old_ones_serve(self) -> bool:
        """Whether gunicorn has reloaded and nobody of the current generation serves yet, so that old processes do."""
        return self._own > 0 and not self.serving()

    def begin(self, processes: int) -> None:
        """Gunicorn reloads: whoever starts from now on is of a new generation, which is to have so many."""
        self._memory[_NUMBERS.size :] = bytes(SEATS)
        _NUMBERS.pack_into(self._memory, 0, self.generation + 1, processes)

    def starts(self, age: int, generation: int) -> None:
        """This process is the one of that age, and of that generation."""
        self._age, self._own = age, generation

    def serves(self) -> None:
        """This process accepts connections from now on."""
        self._memory[_NUMBERS.size + self._age % SEATS] = _mark(self._own)

    def has_ended(self, age: int) -> None:
        """The process of that age has ended, whyever."""
        self._memory[_NUMBERS.size + age % SEATS] = 0

    def serving(self) -> int:
        """How many processes of the current generation accept connections."""
        return self._memory[_NUMBERS.size :].count(_mark(self.generation))

    def complete(self) -> bool:
        """Whether as many processes of the current generation accept connections as are to."""
        return self.serving() >= int(_NUMBERS.unpack_from(self._memory)[1])


def _mark(generation: int) -> int:
    return generation % 255 + 1


@cache
def succession() -> Succession:
    """This gunicorn's; kept when gunicorn reads its configuration again."""
    return Succession()
