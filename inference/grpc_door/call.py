"""One kind of call: who may make it, how it is answered, and how it is counted; errors in one place for all of them.

A call is looked at before its message is read: one that is refused is refused unread.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from math import inf
from time import monotonic
from typing import Any

import grpc
from grpc import aio

from inference.access.rights import EVERYBODY
from inference.errors import BadInputError, ClientTimeoutError
from inference.grpc_door.codes import code_of, told
from inference.grpc_door.infer_request import DOOR
from inference.grpc_door.rpc_asks import RpcAsks
from inference.http.admit import admit
from inference.http.bodies.request_body import SMALL_BYTES
from inference.http.large_bodies import LargeBodies
from inference.http.observed import identify
from inference.http.permission import require_right
from inference.http.throttle import throttle
from inference.monitoring import observations

Context = aio.ServicerContext[Any, Any]
#: Answers a call's message, whose client waits for so many seconds, or for ever.
Answerer = Callable[[RpcAsks, bytes, float | None], Awaitable[bytes]]
#: What is counted for a client that has ended its call, itself or because its time is over: neither hears of it.
CLIENT_GONE, TOO_LATE = 499, 504
#: The call for a prediction.
PREDICTS = "ModelInfer"
#: How many messages may be on their way at a time, each of which may be as large as a body: for those who had to say
#: who they are, and for those who had not, whose messages are short and have so long.
ARRIVING_MAX = 32
ARRIVING_UNASKED_MAX, UNASKED_SECONDS = 8, 2.0


class Shared:
    """What all calls of a process have together."""

    def __init__(self, large_bodies: LargeBodies, message_seconds: float) -> None:
        """`large_bodies` is the process's room for these, `message_seconds` how long a message may take to come."""
        self.large_bodies = large_bodies
        self.message_seconds = message_seconds
        self.arriving = asyncio.Semaphore(ARRIVING_MAX)
        self.arriving_unasked = asyncio.Semaphore(ARRIVING_UNASKED_MAX)
        #: No answer leaves while it is not set.
        self.may_answer = asyncio.Event()
        self.may_answer.set()


class Call:
    """Answers calls of its kind."""

    def __init__(self, name: str, right: str, answerer: Answerer, shared: Shared) -> None:
        """`name` is what metrics call it."""
        self._endpoint = f"grpc {name}"
        self._right = right
        self._predicts = name == PREDICTS
        self._answerer = answerer
        self._shared = shared
        self._arriving = shared.arriving_unasked if right == EVERYBODY else shared.arriving
        self._message_seconds = min(shared.message_seconds, UNASKED_SECONDS if right == EVERYBODY else inf)

    def handler(self) -> grpc.RpcMethodHandler[Any, Any]:
        """As gRPC has it: a stream of messages, of which there is one, since that is read when we want it to be."""
        return grpc.stream_unary_rpc_method_handler(self.answer)

    async def answer(self, _: AsyncIterator[bytes], context: Context) -> bytes:
        """The answer's message."""
        began = monotonic()
        asks = RpcAsks(context.invocation_metadata() or (), context.peer())
        given = asks.META.get("HTTP_X_REQUEST_ID")
        request_id = identify({b"x-request-id": given.encode()} if given else {})
        context.set_trailing_metadata((("x-request-id", request_id.decode()),))
        status = 0
        try:
            answer = await self._answered(asks, context)
            status = 200
        except asyncio.CancelledError:
            status = TOO_LATE if context.time_remaining() == 0 else CLIENT_GONE
            raise
        except Exception as error:  # noqa: BLE001 - it is answered, and logged if it is a defect
            status, text = told(error, asks)
        finally:
            self._note(status, monotonic() - began)
        if not self._shared.may_answer.is_set():
            await self._shared.may_answer.wait()
        if status != 200:
            await context.abort(code_of(status), text)
        return answer

    async def _answered(self, asks: RpcAsks, context: Context) -> bytes:
        if self._predicts:
            admit(asks, DOOR)
        else:
            require_right(asks, self._right)
            throttle(asks, self._right)
        try:
            async with asyncio.timeout(self._message_seconds), self._arriving:
                message = await context.read()
        except TimeoutError as error:
            raise ClientTimeoutError(f"no message has come within {self._message_seconds:g} s") from error
        if not isinstance(message, bytes):
            raise BadInputError("the call has no message")
        if len(message) <= SMALL_BYTES:
            return await self._answerer(asks, message, context.time_remaining())
        async with self._shared.large_bodies.room(len(message), None):
            return await self._answerer(asks, message, context.time_remaining())

    def _note(self, status: int, seconds: float) -> None:
        observations.requests.append((self._endpoint, "POST", str(status), seconds))
