"""What services and messages there are, for tools like grpcurl: gRPC's own reflection."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from google.protobuf.message import DecodeError
from grpc_reflection.v1alpha.reflection import aio
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest

from inference.errors import BadInputError


class Reflection:
    """Answers for these services."""

    def __init__(self, services: frozenset[str]) -> None:
        self._servicer = aio.ReflectionServicer(sorted(services))

    async def answers(self, messages: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """What each message asks for."""
        answers: Any = self._servicer.ServerReflectionInfo(_read(messages), None)  # its type stub says `async def`
        async for answer in answers:
            yield answer.SerializeToString()


async def _read(messages: AsyncIterator[bytes]) -> AsyncIterator[ServerReflectionRequest]:
    async for content in messages:
        try:
            yield ServerReflectionRequest.FromString(content)
        except DecodeError as error:
            raise BadInputError("the message is no ServerReflectionRequest") from error
