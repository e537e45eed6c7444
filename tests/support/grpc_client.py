"""Calls to a gateway over gRPC, in the words of tests: by gRPC's own client and the stubs of our messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import grpc
import numpy as np
import pytest
from google.protobuf.message_factory import GetMessageClass
from numpy.typing import NDArray

from inference.grpc_door.open_inference_pb2 import DESCRIPTOR, ModelInferRequest, ModelInferResponse
from inference.http.open_inference.datatypes import DATATYPES, DTYPES
from workers.messages.arrays import text_array, to_tensor
from workers.messages.tensors import read_texts

SECONDS = 60.0
#: Each channel has a connection of its own, and so may reach another gateway process.
OWN_CONNECTION = [("grpc.use_local_subchannel_pool", 1)]


class InferenceStub:
    """The protocol's calls on a channel, ordinary or of asyncio, each by its name."""

    def __init__(self, channel: Any) -> None:
        service = DESCRIPTOR.services_by_name["GRPCInferenceService"]
        for method in service.methods:
            call = channel.unary_unary(
                f"/{service.full_name}/{method.name}",
                request_serializer=GetMessageClass(method.input_type).SerializeToString,
                response_deserializer=GetMessageClass(method.output_type).FromString,
            )
            setattr(self, method.name, call)

    def __getattr__(self, name: str) -> Any:  # for what has none of them
        raise AttributeError(f"the protocol has no call {name}")


@contextmanager
def stub_of(address: str) -> Iterator[Any]:
    """A stub of the protocol on a connection of its own."""
    with grpc.insecure_channel(address, OWN_CONNECTION) as channel:
        yield InferenceStub(channel)


def raw_request(network: str, inputs: Mapping[str, NDArray[Any]], **fields: Any) -> ModelInferRequest:
    """A request whose tensors are bytes."""
    request = ModelInferRequest(model_name=network, **fields)
    for name, array in inputs.items():
        tensor = to_tensor(array)
        request.inputs.add(name=name, datatype=DATATYPES[tensor.dtype], shape=tensor.shape)
        request.raw_input_contents.append(tensor.data)
    return request


def outputs_of(response: ModelInferResponse) -> dict[str, NDArray[Any]]:
    """The outputs of an answer in bytes."""
    outputs = {}
    for told, raw in zip(response.outputs, response.raw_output_contents, strict=True):
        if told.datatype == "BYTES":
            outputs[told.name] = text_array(read_texts(raw, int(np.prod(told.shape))), tuple(told.shape))
        else:
            outputs[told.name] = np.frombuffer(raw, np.dtype(DTYPES[told.datatype])).reshape(tuple(told.shape))
    return outputs


@contextmanager
def refused(code: grpc.StatusCode, says: str = "") -> Iterator[None]:
    """The block's call is refused so."""
    with pytest.raises(grpc.RpcError) as raised:
        yield
    assert raised.value.code() == code, raised.value.details()
    assert says in raised.value.details()
