"""Reads a request to infer: JSON, and behind it the bytes of those tensors that it says are binary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from inference.dispatch.predict_input import PredictInput, bounded, require_rows
from inference.errors import BadInputError
from inference.http.bodies.json_format import read_json
from inference.http.bodies.json_numbers import few_floats, read_numbers
from inference.http.open_inference.datatypes import DTYPES
from workers.messages.arrays import to_tensor
from workers.messages.message import ProtocolError, is_count
from workers.messages.tensors import RANK_MAX, TENSORS_MAX, Tensor, Tensors

#: What timings and metrics call this protocol.
DOOR = "v2"
ID_CHARACTERS_MAX = 256
#: What a request, an input or an output may ask for that this gateway does not do; 0, false and "" ask for nothing.
NOT_SERVED = {
    "sequence_id": "no network here keeps a state between requests",
    "shared_memory_region": "tensors come in the request",
    "classification": "outputs come as they are",
}


@dataclass(slots=True)
class InferRequest:
    """What is to be predicted, and how the answer is to look."""

    asked: PredictInput
    #: As the address has it.
    network: str
    id: str | None
    #: The outputs that are wanted, and whether each as bytes; None: all, as `binary` says.
    outputs: dict[str, bool] | None
    binary: bool
    #: What the client takes a compressed answer in.
    accepts: bytes = b""


def read_infer_request(content: bytes, head_size: int | None, network: str, version: int | None) -> InferRequest:
    """The request that a body holds; its JSON has `head_size` bytes, or all.

    Raises:
        BadInputError: it is none.
        TooLargeError: its tensors are more than one message to a worker holds.
    """
    head = read_json(content if head_size is None else content[:head_size])
    if not isinstance(head, dict):
        raise BadInputError("the request must be a JSON object with inputs")
    parameters = _parameters(head, "the request")
    inputs = read_tensors(head.get("inputs"), b"" if head_size is None else memoryview(content)[head_size:])
    asked = predict_input(inputs, network, version, DOOR, seconds_of(parameters))
    binary = _is_asked("binary_data_output", parameters, False)
    outputs = _read_outputs(head, binary)
    asked.in_json = not (binary if outputs is None else all(outputs.values()))
    return InferRequest(asked, network, _read_id(head), outputs, binary)


def read_tensors(listed: Any, content: bytes | memoryview = b"") -> Tensors:
    """The inputs, by name, that the protocol's list of them has; the bytes of those that are binary are in `content`.

    Raises:
        BadInputError: it is no such list.
    """
    if not isinstance(listed, list) or not 0 < len(listed) <= TENSORS_MAX:
        raise BadInputError(f"inputs must be a list of 1 to {TENSORS_MAX} tensors")
    inputs, end = {}, 0
    for each in listed:
        name, tensor, end = _read_input(each, content, end)
        if name in inputs:
            raise BadInputError(f"there are two inputs {name!r}")
        inputs[name] = tensor
    if end != len(content):
        raise BadInputError(f"{len(content) - end} bytes behind the JSON belong to no input")
    return inputs


def predict_input(
    inputs: Tensors, network: str | None, version: int | str | None, door: str, seconds: float | None
) -> PredictInput:
    """What is to be predicted of these inputs.

    Raises:
        BadInputError: they do not belong together.
        TooLargeError: they are more than one message to a worker holds.
    """
    require_rows(inputs, "inputs")
    return bounded(PredictInput(inputs, False, network, version, door, seconds=seconds), "inputs")


def _read_input(given: Any, content: bytes | memoryview, begin: int) -> tuple[str, Tensor, int]:
    """An input's name and tensor, and where the bytes of the next one begin."""
    if not isinstance(given, dict) or not isinstance(name := given.get("name"), str) or not name:
        raise BadInputError("each input must be an object with a name")
    shape, datatype = given.get("shape"), str(given.get("datatype"))
    if not isinstance(shape, list) or not 0 < len(shape) <= RANK_MAX or not all(map(is_count, shape)):
        raise BadInputError(f"input {name!r}: shape must be a list of sizes, the number of rows first")
    dtype = DTYPES.get(datatype)
    if dtype is None:
        raise BadInputError(f"input {name!r}: datatype must be one of {', '.join(DTYPES)}")
    size = _parameters(given, f"input {name!r}").get("binary_data_size")
    try:
        if size is None:
            return name, _read_data(name, datatype, dtype, shape, given.get("data")), begin
        if not is_count(size) or begin + size > len(content):
            left = len(content) - begin
            raise BadInputError(f"input {name!r}: binary_data_size must be a number of bytes; {left} are left")
        if "data" in given:
            raise BadInputError(f"input {name!r} has both data and binary_data_size")
        return name, Tensor(dtype, tuple(shape), bytes(content[begin : begin + size])).check(), begin + size
    except ProtocolError as error:
        raise BadInputError(f"input {name!r}: {error}") from error


def _read_data(name: str, datatype: str, dtype: str, shape: list[int], data: Any) -> Tensor:
    count = prod(shape)
    if not isinstance(data, list):
        raise BadInputError(f"input {name!r} must have data, a list, or binary_data_size")
    if datatype in ("FP32", "FP64") and len(data) == count and (floats := few_floats(data)) is not None:
        return Tensor("float64", tuple(shape), floats)
    array = read_numbers(f"input {name!r}: data", data)
    if array.size != count or (array.ndim > 1 and list(array.shape) != shape):
        raise BadInputError(f"input {name!r}: data of shape {list(array.shape)} do not fit shape {shape}")
    if not _is_of(array, dtype, data):
        raise BadInputError(f"input {name!r}: data are not all {datatype}")
    return to_tensor(array.reshape(shape))


def _is_of(array: np.ndarray[Any, Any], dtype: str, data: list[Any]) -> bool:
    """Whether numbers or texts are what the datatype says. Floats stay what JSON says, for the network to round."""
    kind = np.dtype(object if dtype == "string" else dtype).kind
    if kind in "bO":
        return bool(array.dtype.kind == kind)
    if array.dtype.kind not in "fiu":
        return False
    if kind == "f":
        return True
    low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    if array.dtype.kind == "f":  # which holds the power of two above the highest exactly, and that perhaps not
        return bool((array >= low).all() and (array < float(high + 1)).all() and (np.floor(array) == array).all())
    return bool((array >= low).all() and (array <= high).all())


def _read_outputs(head: dict[str, Any], binary: bool) -> dict[str, bool] | None:
    listed = head.get("outputs")
    if listed is None or listed == []:  # to Triton, too, an empty list names them all
        return None
    if not isinstance(listed, list) or len(listed) > TENSORS_MAX:
        raise BadInputError(f"outputs must be a list of at most {TENSORS_MAX} outputs")
    wanted: dict[str, bool] = {}
    for each in listed:
        if not isinstance(each, dict) or not isinstance(name := each.get("name"), str):
            raise BadInputError("each output must be an object with a name")
        wanted[name] = _is_asked("binary_data", _parameters(each, f"output {name!r}"), binary)
    return wanted


def _read_id(head: dict[str, Any]) -> str | None:
    own = head.get("id")
    if own is not None and (not isinstance(own, str) or len(own) > ID_CHARACTERS_MAX):
        raise BadInputError(f"id must be a text of at most {ID_CHARACTERS_MAX} characters")
    return own


def _parameters(holder: dict[str, Any], of: str) -> Mapping[str, Any]:
    parameters = holder.get("parameters")
    if parameters is None:
        return {}
    if not isinstance(parameters, dict):
        raise BadInputError(f"parameters of {of} must be an object")
    refuse_not_served(parameters, of)
    return parameters


def refuse_not_served(parameters: Mapping[str, Any], of: str) -> None:
    """Refuse a request that would not get what it asks for.

    Raises:
        BadInputError: its parameters, or those of an input or output, ask for something that is not served.
    """
    for name, why in NOT_SERVED.items():
        if parameters.get(name):
            raise BadInputError(f"{of} asks for {name}, which is not served: {why}")


def _is_asked(what: str, parameters: Mapping[str, Any], default: bool) -> bool:
    asked = parameters.get(what, default)
    if not isinstance(asked, bool):
        raise BadInputError(f"{what} must be true or false")
    return asked


def seconds_of(parameters: Mapping[str, Any]) -> float | None:
    """How long the client waits, in its words microseconds; 0 is for ever.

    Raises:
        BadInputError: it says something else.
    """
    timeout = parameters.get("timeout")
    if timeout is None:
        return None
    if not is_count(timeout):
        raise BadInputError("timeout must be a number of microseconds")
    return timeout / 1e6 or None
