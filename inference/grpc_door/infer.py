"""ModelInfer, on the event loop: it waits for nothing but a worker's answer."""

from __future__ import annotations

import asyncio

from inference.dispatch.answer import Answer
from inference.gateway import gateway
from inference.grpc_door.infer_request import InferCall, read_infer_call
from inference.grpc_door.infer_response import write_infer_response
from inference.grpc_door.rpc_asks import RpcAsks
from inference.http.bodies.request_body import SMALL_BYTES
from inference.http.large_bodies import LargeBodies


class Infer:
    """Answers predictions; `large_bodies` is the process's room for these, whichever door they come by."""

    def __init__(self, large_bodies: LargeBodies) -> None:
        self._large_bodies = large_bodies

    async def __call__(self, asks: RpcAsks, message: bytes, seconds: float | None) -> bytes:
        """The answer's message.

        Raises:
            InferenceError: it has none.
        """
        if len(message) <= SMALL_BYTES:
            return await _predict(read_infer_call(message, seconds))
        return await _predict(await self._large_bodies.parse(lambda: read_infer_call(message, seconds)))


async def _predict(call: InferCall) -> bytes:
    answer: Answer = await gateway().predictions.predict(call.asked)
    if answer.size_bytes <= SMALL_BYTES:
        return write_infer_response(call, answer)
    return await asyncio.to_thread(write_infer_response, call, answer)
