"""Reads a ModelInferRequest: tensors as bytes beside the inputs, or as typed contents in them."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from inference.dispatch.predict_input import PredictInput
from inference.errors import BadInputError
from inference.grpc_door.open_inference_pb2 import ModelInferRequest
from inference.grpc_door.parameters import read_network, read_parameters, read_version
from inference.http.open_inference.datatypes import DTYPES
from inference.http.open_inference.infer_body import ID_CHARACTERS_MAX, predict_input, refuse_not_served, seconds_of
from workers.messages.message import ProtocolError
from workers.messages.tensors import LENGTH_BYTES, RANK_MAX, STRING, TENSORS_MAX, Tensor

#: What timings call this protocol.
DOOR = "grpc"
#: The field of typed contents for each datatype; for FP16 the protocol has none.
CONTENTS_OF = {
    "BOOL": "bool_contents", "INT8": "int_contents", "INT16": "int_contents", "INT32": "int_contents",
    "INT64": "int64_contents", "UINT8": "uint_contents", "UINT16": "uint_contents", "UINT32": "uint_contents",
    "UINT64": "uint64_contents", "FP32": "fp32_contents", "FP64": "fp64_contents", "BYTES": "bytes_contents",
}  # fmt: skip


@dataclass(slots=True)
class InferCall:
    """What is to be predicted, and how the answer is to look."""

    asked: PredictInput
    network: str
    id: str
    #: The outputs that are wanted; empty: all.
    outputs: list[str]
    #: Whether the inputs came as typed contents, as then the outputs do.
    typed: bool


def read_infer_call(content: bytes, seconds: float | None) -> InferCall:
    """The request that a message holds; its client waits for so many `seconds`.

    Raises:
        BadInputError, NotFoundError: it is none.
        TooLargeError: its tensors are more than one message to a worker holds.
    """
    try:
        message = ModelInferRequest.FromString(content)
    except DecodeError as error:
        raise BadInputError("the message is no ModelInferRequest") from error
    network, version = read_network(message.model_name), read_version(message.model_version)
    if len(message.id) > ID_CHARACTERS_MAX:
        raise BadInputError(f"id must be a text of at most {ID_CHARACTERS_MAX} characters")
    waits = [seconds]
    if message.parameters:
        parameters = read_parameters(message.parameters)
        refuse_not_served(parameters, "the request")
        waits.append(seconds_of(parameters))
    inputs = _read_inputs(message)
    asked = predict_input(inputs, network, version, DOOR, min(filter(None, waits), default=None))
    asked.in_json = False
    return InferCall(asked, network, message.id, _read_outputs(message), not message.raw_input_contents)


def _read_inputs(message: ModelInferRequest) -> dict[str, Tensor]:
    listed, raw = message.inputs, message.raw_input_contents
    if not 0 < len(listed) <= TENSORS_MAX:
        raise BadInputError(f"inputs must be 1 to {TENSORS_MAX} tensors")
    if raw and len(raw) != len(listed):
        raise BadInputError(f"raw_input_contents must have {len(listed)} parts, one for each input, not {len(raw)}")
    inputs: dict[str, Tensor] = {}
    for number, given in enumerate(listed):
        name = given.name
        if not name or name in inputs:
            raise BadInputError(f"there are two inputs {name!r}" if name else "each input must have a name")
        inputs[name] = _read_input(given, raw[number] if raw else None)
    return inputs


def _read_input(given: ModelInferRequest.InferInputTensor, raw: bytes | None) -> Tensor:
    name, shape = given.name, tuple(given.shape)
    if not 0 < len(shape) <= RANK_MAX or min(shape) < 0:
        raise BadInputError(f"input {name!r}: shape must be a list of sizes, the number of rows first")
    dtype = DTYPES.get(given.datatype)
    if dtype is None:
        raise BadInputError(f"input {name!r}: datatype must be one of {', '.join(DTYPES)}")
    if given.parameters:
        refuse_not_served(read_parameters(given.parameters), f"input {name!r}")
    try:
        if raw is None:
            return Tensor(dtype, shape, _read_contents(given, dtype, prod(shape))).check()
        if given.HasField("contents"):
            raise BadInputError(f"input {name!r} has both contents and raw_input_contents")
        return Tensor(dtype, shape, raw).check()
    except ProtocolError as error:
        raise BadInputError(f"input {name!r}: {error}") from error


def _read_contents(given: ModelInferRequest.InferInputTensor, dtype: str, count: int) -> bytes:
    """Typed contents as bytes."""
    name, datatype = given.name, given.datatype
    field = CONTENTS_OF.get(datatype)
    if field is None:
        raise BadInputError(f"input {name!r}: {datatype} must come as raw_input_contents, for contents have none of it")
    values = getattr(given.contents, field)
    if len(values) != count:
        others = [other.name for other, _ in given.contents.ListFields() if other.name != field]
        raise BadInputError(
            f"input {name!r}: {field} has {len(values)} values where the shape needs {count}"
            + (f", and there are {', '.join(others)}" if others else "")
        )
    return _text_bytes(values) if dtype == STRING else _number_bytes(values, dtype, f"input {name!r}: {field}")


def _number_bytes(values: Any, dtype: str, what: str) -> bytes:
    wide = np.array(values, np.int64) if dtype in ("int8", "int16", "uint8", "uint16") else None
    if wide is not None and wide.size and not np.iinfo(dtype).min <= wide.min() <= wide.max() <= np.iinfo(dtype).max:
        raise BadInputError(f"{what} are not all {dtype}")
    array = np.array(values if wide is None else wide, np.dtype(dtype).newbyteorder("<"))
    return array.tobytes()


def _text_bytes(values: Any) -> bytes:
    return b"".join([part for each in values for part in (len(each).to_bytes(LENGTH_BYTES, "little"), each)])


def _read_outputs(message: ModelInferRequest) -> list[str]:
    if len(message.outputs) > TENSORS_MAX:
        raise BadInputError(f"outputs must be at most {TENSORS_MAX}")
    for each in message.outputs:
        if each.parameters:
            refuse_not_served(read_parameters(each.parameters), f"output {each.name!r}")
    return [each.name for each in message.outputs]
