"""The gRPC server of a gateway process: on the event loop, at the address that all processes of the gateway share."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import grpc
from django.conf import settings
from grpc import aio
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from inference.access.rights import EVERYBODY, PREDICT
from inference.grpc_door.beside import Beside
from inference.grpc_door.call import PREDICTS, Call, Shared
from inference.grpc_door.health import Health
from inference.grpc_door.infer import Infer
from inference.grpc_door.open_inference_pb2 import DESCRIPTOR
from inference.grpc_door.reflect import Reflection
from inference.grpc_door.streams import Streams
from inference.grpc_door.told_calls import TOLD, answerer
from inference.http.large_bodies import LargeBodies

logger = logging.getLogger(__name__)

INFERENCE = DESCRIPTOR.services_by_name["GRPCInferenceService"].full_name
HEALTH = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
REFLECTION = reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"].full_name
#: Calls beside predictions, and threads beside those of weight changes.
OTHER_CALLS = 128
OTHER_THREADS = 16
CONNECTIONS_MAX = 1024
HANDSHAKE_SECONDS = 10
IDLE_SECONDS = 300
#: A connection is asked whether it lives; how often a client may ask that of us, and how often sooner until it ends.
KEEPALIVE_SECONDS, KEEPALIVE_ANSWER_SECONDS = 60, 20
PING_SECONDS, PINGS_TOO_SOON = 10, 3
METADATA_BYTES_MAX = 16 * 1024
#: Within so long all calls that have come are looked at.
LOOK_SECONDS = 0.1
#: The message of a call may take so many times as long as a client may be silent.
PATIENCE = 3.0


class GrpcServer:
    """Listens, and answers; see `start` and `stop`."""

    def __init__(self, bind: str, large_bodies: LargeBodies, client_timeout_seconds: float) -> None:
        self._bind = bind
        self._beside = Beside(settings.PIPELINE_WEIGHT_CHANGES_MAX + OTHER_THREADS)
        self._streams = Streams()
        calls_max = settings.PIPELINE_QUEUE_REQUESTS_MAX + OTHER_CALLS
        self._server = aio.server(options=_options(calls_max), maximum_concurrent_rpcs=calls_max)
        self._shared = shared = Shared(large_bodies, PATIENCE * client_timeout_seconds)
        inference = {name: Call(name, right, answerer(name, self._beside), shared) for name, (right, _) in TOLD.items()}
        inference[PREDICTS] = Call(PREDICTS, PREDICT, Infer(large_bodies), shared)
        health = Health(frozenset([INFERENCE, HEALTH]), self._beside)
        reflection = Reflection(frozenset([INFERENCE, HEALTH, REFLECTION]))
        check = Call("Health", EVERYBODY, health.check, shared)
        self._serve(INFERENCE, {name: call.handler() for name, call in inference.items()})
        self._serve(HEALTH, {"Check": check.handler(), "Watch": self._streams.handler(health.watch)})
        self._serve(REFLECTION, {"ServerReflectionInfo": self._streams.handler(reflection.answers)})

    def _serve(self, service: str, handlers: dict[str, grpc.RpcMethodHandler[Any, Any]]) -> None:
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))

    async def start(self) -> None:
        """Begin to listen.

        Raises:
            RuntimeError: the address cannot be listened at.
        """
        self._server.add_insecure_port(self._bind)
        await self._server.start()
        logger.info("gRPC is answered at %s.", self._bind)

    async def stop(self, grace_seconds: float) -> None:
        """Take no more calls, and let those that are there end, for so long."""
        self._streams.end()
        # gRPC cancels calls that have come and that nobody has looked at yet. So answers are kept for a moment, until
        # all that have come are looked at: who waits for an answer asks for nothing else.
        self._shared.may_answer.clear()
        await asyncio.sleep(min(LOOK_SECONDS, grace_seconds))
        ends = asyncio.create_task(self._server.stop(grace_seconds))
        await asyncio.sleep(0)  # it begins: clients are told to go elsewhere
        self._shared.may_answer.set()
        await ends
        self._beside.close()


def _options(calls_max: int) -> list[tuple[str, int]]:
    return [
        ("grpc.so_reuseport", 1),
        ("grpc.max_receive_message_length", settings.PIPELINE_MAX_BODY_BYTES),
        ("grpc.max_send_message_length", -1),
        ("grpc.max_metadata_size", METADATA_BYTES_MAX),
        ("grpc.max_concurrent_streams", calls_max),
        ("grpc.max_allowed_incoming_connections", CONNECTIONS_MAX),
        ("grpc.server_handshake_timeout_ms", HANDSHAKE_SECONDS * 1000),
        ("grpc.max_connection_idle_ms", IDLE_SECONDS * 1000),
        ("grpc.keepalive_time_ms", KEEPALIVE_SECONDS * 1000),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_ANSWER_SECONDS * 1000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", PING_SECONDS * 1000),
        ("grpc.http2.max_ping_strikes", PINGS_TOO_SOON),
    ]
