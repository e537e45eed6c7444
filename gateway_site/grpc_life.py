"""How long the gRPC server of a gateway process lives: it is imported, and begins, only where it is asked for."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from django.conf import settings

from gateway_site.ending import ENDING
from inference.http.large_bodies import LargeBodies
from inference.supervision.options import read_gateway_options

if TYPE_CHECKING:
    from inference.grpc_door.server import GrpcServer


async def start_grpc(large_bodies: LargeBodies) -> asyncio.Task[None] | None:
    """Answer gRPC until the process ends, if an address is given; the task is done when all that was asked is answered.

    Raises:
        RuntimeError: the address cannot be listened at.
    """
    if not settings.PIPELINE_GRPC_BIND:
        return None
    # It would have a say in each fork, and complain of some. Ours only start other programs.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")
    from inference.grpc_door.server import GrpcServer  # memory that a gateway without it saves

    server = GrpcServer(settings.PIPELINE_GRPC_BIND, large_bodies, read_gateway_options().client_timeout_seconds)
    await server.start()
    return asyncio.create_task(_end(server))


async def _end(server: GrpcServer) -> None:
    await ENDING.begins.wait()
    ends = asyncio.create_task(server.stop(settings.PIPELINE_REQUEST_TIMEOUT))
    at_once = asyncio.create_task(ENDING.at_once.wait())
    await asyncio.wait([ends, at_once], return_when=asyncio.FIRST_COMPLETED)
    if not ends.done():
        await server.stop(0)
    at_once.cancel()
    await ends
