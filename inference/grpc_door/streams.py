"""Calls that go on: few at a time and none for ever, for nobody needs a token to make one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc

from inference.grpc_door.call import Context
from inference.grpc_door.codes import code_of, told
from inference.grpc_door.rpc_asks import RpcAsks

#: A client asks again when its stream has ended.
STREAM_SECONDS = 3600.0
STREAMS_MAX = 32

#: What answers messages with messages.
Answers = Callable[[AsyncIterator[bytes]], AsyncIterator[bytes]]


class Streams:
    """Owns those of this process."""

    def __init__(self) -> None:
        self._open: set[asyncio.Task[Any]] = set()

    def handler(self, answers: Answers) -> grpc.RpcMethodHandler[Any, Any]:
        """As gRPC has it."""

        async def answer(messages: AsyncIterator[bytes], context: Context) -> None:
            if len(self._open) >= STREAMS_MAX:
                await context.abort(grpc.StatusCode.UNAVAILABLE, f"{STREAMS_MAX} streams are open, as many as may be")
            sends = asyncio.create_task(_send(answers(messages), context))
            self._open.add(sends)
            try:
                done, _ = await asyncio.wait([sends], timeout=STREAM_SECONDS)
            finally:
                self._open.discard(sends)
                sends.cancel()
            if not done or sends.cancelled():
                await context.abort(grpc.StatusCode.UNAVAILABLE, "the stream has been open for long: ask again")
            if (error := sends.exception()) is not None:
                asks = RpcAsks(context.invocation_metadata() or (), context.peer())
                status, text = told(error, asks) if isinstance(error, Exception) else (503, "")
                await context.abort(code_of(status), text)

        return grpc.stream_stream_rpc_method_handler(answer)

    def end(self) -> None:
        """End them all."""
        for each in list(self._open):
            each.cancel()


async def _send(answers: AsyncIterator[bytes], context: Context) -> None:
    async for answer in answers:
        await context.write(answer)
