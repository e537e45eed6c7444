"""A request's body on the event loop, as it arrives: whole, or an error; bounded, and decompressed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from inference.errors import BadInputError, ClientTimeoutError, TooLargeError
from inference.http.bodies.inflater import Inflater, inflater_for
from inference.http.exchange import Exchange

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

#: A body that is no larger is read at once, and by the loop.
SMALL_BYTES = 64 * 1024


class RequestBody:
    """That of one request."""

    def __init__(self, headers: Mapping[bytes, bytes], exchange: Exchange, receive: Receive) -> None:
        self._exchange = exchange
        self._receive = receive
        #: How many bytes of it arrive; None when it comes in chunks, whose sum nobody knows.
        self._declared = None if b"transfer-encoding" in headers else int(headers.get(b"content-length", 0))
        self._inflater = inflater_for(headers[b"content-encoding"]) if b"content-encoding" in headers else None
        self._arrived = self._taken = 0
        self._all_arrived = False
        self._limit: int | None = None
        #: Whether all of it has been taken.
        self.ended = False

    @property
    def size(self) -> int | None:
        """How many bytes it has; None when that is known at its end only."""
        return None if self._inflater else self._declared

    def refuse_larger(self, limit: int) -> None:
        """Refuse a body of more than so many bytes: now where that is known, else as soon as it is.

        Raises:
            TooLargeError: it is larger.
        """
        self._limit = limit
        if (self._declared or 0) > limit:
            raise TooLargeError(f"the body has {self._declared} bytes, this gateway takes {limit}")
        self._refuse_more(self._taken)

    def _refuse_more(self, size: int) -> None:
        if self._limit is not None and size > self._limit:
            raise TooLargeError(f"the body has more than the {self._limit} bytes that this gateway takes")

    async def read(self) -> bytes:
        """What is still to come of it, to its end; raises as `piece` does."""
        whole = await self.piece()
        if self.ended:  # as most have: in one piece
            return whole
        gathered = bytearray(whole)  # a list of pieces that have a few bytes each takes many times as much
        while not self.ended:
            gathered += await self.piece()
        return bytes(gathered)

    async def read_at_most(self, size: int) -> bytes:
        """Its beginning: all of it, or a little more than `size`; raises as `piece` does."""
        began = b""
        while not self.ended and len(began) <= size:
            began += await self.piece()
        return began

    async def piece(self) -> bytes:
        """The next bytes, waited for.

        Raises:
            BadInputError: it breaks off, or is not compressed as it says.
            ClientTimeoutError: the rest does not come in time.
            UnknownEncodingError: it is compressed in a way that nobody here reads.
            TooLargeError: it is larger than it may be.
        """
        piece, inflater = b"", self._inflater
        while not piece or self._taken == self._limit:  # else nobody reads on to find that there is more
            piece += await (self._next_arrived() if inflater is None else self._next_inflated(inflater))
            if self.ended:
                break
        return piece

    async def _next_arrived(self) -> bytes:
        piece = self._exchange.take_body()
        if piece is not None:
            more = False
        else:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise BadInputError("the client has gone in the middle of the body")
            piece, more = message.get("body", b""), message.get("more_body", False)
        self._arrived += len(piece)
        if self._inflater is None:
            self._taken = self._arrived
        if self._limit is not None and self._arrived > self._limit:
            self._refuse_more(self._arrived)
        if not more:
            fault = self._exchange.fault
            missing = (self._declared or 0) - self._arrived
            if missing > 0 and not isinstance(fault, ClientTimeoutError):
                raise BadInputError(f"the body broke off: {missing} bytes are missing")
            if fault is not None:
                raise fault
            self._all_arrived, self.ended = True, self._inflater is None
        return piece

    async def _next_inflated(self, inflater: Inflater) -> bytes:
        piece = b""
        while not piece:
            if inflater.has_more:
                piece = inflater.take()
                if inflater.has_more:
                    await asyncio.sleep(0)  # others have their turn
            elif self._all_arrived:
                inflater.check_end()
                self.ended = True
                break
            else:
                inflater.feed(await self._next_arrived())
        self._taken += len(piece)
        self._refuse_more(self._taken)
        return piece
