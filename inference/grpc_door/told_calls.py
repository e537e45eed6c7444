"""The calls that tell of the server and of networks, and those that change these: they ask the database, in threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.protobuf.json_format import ParseDict
from google.protobuf.message import DecodeError, Message

from inference.access.rights import EVERYBODY, PREDICT, STATUS, WEIGHTS
from inference.errors import BadInputError
from inference.gateway import gateway
from inference.grpc_door import open_inference_pb2 as messages
from inference.grpc_door.beside import Beside
from inference.grpc_door.call import Answerer
from inference.grpc_door.parameters import read_network, read_parameters, read_version
from inference.grpc_door.rpc_asks import RpcAsks, asker
from inference.health.readiness import check_readiness
from inference.http.open_inference import model_answers, repository
from inference.http.weight_changes import weight_change

#: What a call tells, as JSON has it, of its message and of who asks.
Tell = Callable[[Any, RpcAsks], dict[str, Any]]


def is_ready() -> bool:
    """Whether predictions can be answered now."""
    return all(check.passed for check in check_readiness(gateway().health))


def _statistics(asked: messages.ModelStatisticsRequest, _: RpcAsks) -> dict[str, Any]:
    network = read_network(asked.name) if asked.name else None
    return model_answers.model_statistics(network, read_version(asked.version))


def _load(asked: messages.RepositoryModelLoadRequest, asks: RpcAsks) -> dict[str, Any]:
    network = read_network(asked.model_name)
    with weight_change():
        file = repository.only_file(read_parameters(asked.parameters))
        if file and not isinstance(file[1], bytes):
            raise BadInputError(f"{file[0]} must be the file, as bytes_param")
        repository.load(network, file, asker(asks))
    return {}


def _unload(asked: messages.RepositoryModelUnloadRequest, asks: RpcAsks) -> dict[str, Any]:
    gateway().switch.deactivate(read_network(asked.model_name), asker(asks))
    return {}


#: By name: the right that each needs, and what it tells.
TOLD: dict[str, tuple[str, Tell]] = {
    "ServerLive": (EVERYBODY, lambda _asked, _: {"live": True}),
    "ServerReady": (EVERYBODY, lambda _asked, _: {"ready": is_ready()}),
    "ServerMetadata": (EVERYBODY, lambda _asked, _: model_answers.server_metadata()),
    "ModelReady": (PREDICT, lambda asked, _: {"ready": model_answers.model_ready(*_named(asked))}),
    "ModelMetadata": (PREDICT, lambda asked, _: model_answers.model_metadata(*_named(asked))),
    "ModelConfig": (PREDICT, lambda asked, _: {"config": model_answers.model_config(*_named(asked))}),
    "ModelStatistics": (STATUS, _statistics),
    "RepositoryIndex": (STATUS, lambda asked, _: {"models": repository.index(asked.ready)}),
    "RepositoryModelLoad": (WEIGHTS, _load),
    "RepositoryModelUnload": (WEIGHTS, _unload),
}


def _named(asked: Any) -> tuple[str, int | str | None]:
    return read_network(asked.name), read_version(asked.version)


def answerer(name: str, beside: Beside) -> Answerer:
    """What answers the calls of that name."""
    tell = TOLD[name][1]
    asked_as: type[Message] = getattr(messages, f"{name}Request")
    told_as: type[Message] = getattr(messages, f"{name}Response")

    async def answer(asks: RpcAsks, content: bytes, _: float | None) -> bytes:
        try:
            asked = asked_as.FromString(content)
        except DecodeError as error:
            raise BadInputError(f"the message is no {name}Request") from error
        return await beside(lambda: ParseDict(tell(asked, asks), told_as()).SerializeToString())

    return answer
