"""Health in gRPC's own words, which orchestrators and load balancers ask: it follows what /readyz tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from google.protobuf.message import DecodeError
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from inference.errors import BadInputError, NotFoundError
from inference.grpc_door.beside import Beside
from inference.grpc_door.rpc_asks import RpcAsks
from inference.grpc_door.told_calls import is_ready

#: How often it is looked for those who watch.
LOOK_SECONDS = 5.0


class Health:
    """Answers for the server as a whole and for each of its services, which are well together."""

    def __init__(self, services: frozenset[str], beside: Beside) -> None:
        self._known = services | {""}
        self._beside = beside

    async def check(self, asks: RpcAsks, content: bytes, _: float | None) -> bytes:
        """How it is now.

        Raises:
            NotFoundError: there is no such service.
        """
        if (service := _service_of(content)) not in self._known:
            raise NotFoundError(f"there is no service {service[:80]!a}")
        return _written(await self._beside(is_ready))

    async def watch(self, messages: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """How it is now, and again whenever that changes."""
        if _service_of(await anext(messages, b"")) not in self._known:
            yield HealthCheckResponse(status=HealthCheckResponse.SERVICE_UNKNOWN).SerializeToString()
            await asyncio.Event().wait()  # as the protocol has it: there might be one later
        said: bool | None = None
        while True:
            ready = await self._beside(is_ready)
            if ready != said:
                said = ready
                yield _written(ready)
            await asyncio.sleep(LOOK_SECONDS)


def _service_of(content: bytes) -> str:
    try:
        return HealthCheckRequest.FromString(content).service
    except DecodeError as error:
        raise BadInputError("the message is no HealthCheckRequest") from error


def _written(ready: bool) -> bytes:
    status = HealthCheckResponse.SERVING if ready else HealthCheckResponse.NOT_SERVING
    return HealthCheckResponse(status=status).SerializeToString()
