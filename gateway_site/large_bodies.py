"""How many bytes of large predictions this process holds at a time: what they say takes several times as much memory.

A body counts from its head on, until it is answered. When there is no room for another, one that has been arriving for
long makes room: whoever announces much and sends little keeps nobody else out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

from gateway_site.silent_clients import Client

#: So many of the largest bodies have room.
LARGEST_BODIES = 8
#: A body that has been arriving for so long may have to make room.
SLOW_SECONDS = 1.0


class NoRoomError(Exception):
    """As much as may be is held."""


@dataclass(eq=False)
class LargeBody:
    """One that is held; `arriving` tells whether some of it is still to come."""

    size: int
    client: Client
    arriving: Callable[[], bool]
    began: float = field(default_factory=monotonic)


class LargeBodies:
    """Those that are held, the oldest first."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._held: dict[LargeBody, None] = {}
        self._lock = threading.Lock()

    @property
    def held_bytes(self) -> int:
        """How many bytes are held, or on their way."""
        return sum(body.size for body in self._held)

    @contextmanager
    def room(self, size: int, client: Client, arriving: Callable[[], bool]) -> Iterator[None]:
        """Room for a body of that size, for the length of a block; `arriving` until all of it is there.

        Raises:
            NoRoomError: there is none.
        """
        body = LargeBody(size, client, arriving)
        with self._lock:
            while self.held_bytes + size > self._bytes_max:
                self._cut_off_slowest()
            self._held[body] = None
        try:
            yield
        finally:
            with self._lock:
                self._held.pop(body, None)

    def _cut_off_slowest(self) -> None:
        before = monotonic() - SLOW_SECONDS
        slowest = next((body for body in self._held if body.arriving() and body.began < before), None)
        if slowest is None:
            raise NoRoomError
        del self._held[slowest]
        slowest.client.cut_off()
