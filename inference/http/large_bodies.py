"""How many bytes of large predictions this process holds at a time: what they say takes several times as much memory.

A body counts from its head on, until it is answered. When there is no room for another, one that has been arriving for
long makes room: whoever announces much and sends little keeps nobody else out.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import TypeVar

from django.conf import settings

from inference.errors import BUSY_MESSAGE, BusyError
from inference.http.loop_request import LoopRequest

T = TypeVar("T")

#: So many of the largest bodies have room.
LARGEST_BODIES = 8
#: A body that has been arriving for so long may have to make room.
SLOW_SECONDS = 1.0


@dataclass(eq=False)
class LargeBody:
    """One that is held."""

    size: int
    #: None: all of it is there.
    asks: LoopRequest | None
    began: float = field(default_factory=monotonic)


class LargeBodies:
    """Those that are held, the oldest first. For the loop's thread."""

    def __init__(self) -> None:
        self._held: dict[LargeBody, None] = {}
        self._turn = asyncio.Lock()

    @property
    def held_bytes(self) -> int:
        """How many bytes are held, or on their way."""
        return sum(body.size for body in self._held)

    @asynccontextmanager
    async def room(self, size: int, asks: LoopRequest | None) -> AsyncIterator[None]:
        """Room for a request's body of that size, for the length of a block; `asks` is whose it is while it arrives.

        Raises:
            BusyError: there is none.
        """
        body = LargeBody(size, asks)
        while self.held_bytes + size > LARGEST_BODIES * settings.PIPELINE_MAX_BODY_BYTES:
            self._cut_off_slowest()
        self._held[body] = None
        try:
            yield
        finally:
            self._held.pop(body, None)

    def _cut_off_slowest(self) -> None:
        before = monotonic() - SLOW_SECONDS
        for body in self._held:
            if body.asks and not body.asks.body.ended and body.began < before:
                del self._held[body]
                body.asks.exchange.cut_off()
                return
        raise BusyError(BUSY_MESSAGE)

    async def parse(self, read: Callable[[], T]) -> T:
        """What a large body says, read in a thread, one at a time: several at once would be ready no sooner."""
        async with self._turn:
            return await asyncio.to_thread(read)
