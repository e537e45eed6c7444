"""What a ModelInferRequest asks for, and what of it is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from inference.errors import BadInputError, InferenceError, NotFoundError, TooLargeError
from inference.grpc_door.infer_request import read_infer_call
from inference.grpc_door.open_inference_pb2 import InferParameter, ModelInferRequest
from tests.unit.inference.grpc_door.messages import RAW, raw_request, request, typed_request
from workers.messages.arrays import to_array
from workers.messages.tensors import TENSORS_BYTES_MAX, Tensor, write_texts

REGION = InferParameter(string_param="region")


def read(message: ModelInferRequest, seconds: float | None = None) -> Any:
    return read_infer_call(message.SerializeToString(), seconds)


def test_bytes_are_taken_as_they_are() -> None:
    call = read(raw_request(id="mine", model_version="3"))

    assert call.asked.inputs == {"numbers": Tensor("float32", (1, 2), RAW)}
    assert (call.asked.network, call.asked.version, call.asked.door) == ("sum", 3, "grpc")
    assert (call.network, call.id, call.outputs, call.typed) == ("sum", "mine", [], False)


@pytest.mark.parametrize(
    ("datatype", "field", "values"),
    [
        ("BOOL", "bool_contents", [True, False]),
        ("INT8", "int_contents", [-128, 127]),
        ("INT16", "int_contents", [-32768, 32767]),
        ("INT32", "int_contents", [-(2**31), 2**31 - 1]),
        ("INT64", "int64_contents", [-(2**63), 2**63 - 1]),
        ("UINT8", "uint_contents", [0, 255]),
        ("UINT16", "uint_contents", [0, 65535]),
        ("UINT32", "uint_contents", [0, 2**32 - 1]),
        ("UINT64", "uint64_contents", [0, 2**64 - 1]),
        ("FP32", "fp32_contents", [0.1, -2.5]),
        ("FP64", "fp64_contents", [0.1, 1e300]),
        ("BYTES", "bytes_contents", ["kühl".encode(), b""]),
    ],
)
def test_typed_contents_are_of_their_datatype(datatype: str, field: str, values: list[Any]) -> None:
    call = read(typed_request(datatype, [2, 1], **{field: values}))

    array = to_array(call.asked.inputs["numbers"])
    expected = [[each.decode() if isinstance(each, bytes) else each] for each in values]
    if datatype == "FP32":
        expected = np.array(expected, np.float32).tolist()
    assert array.tolist() == expected
    assert call.typed


def test_a_version_may_be_named_by_a_label() -> None:
    assert read(raw_request(model_version="stable")).asked.version == "stable"


def test_without_a_version_the_active_one_is_asked() -> None:
    assert read(raw_request()).asked.version is None


def test_the_shorter_of_two_times_counts() -> None:
    parameters = {"timeout": InferParameter(int64_param=2_000_000)}

    assert read(raw_request()).asked.seconds is None
    assert read(raw_request(), 5.0).asked.seconds == 5.0
    assert read(raw_request(parameters=parameters), 5.0).asked.seconds == 2.0
    assert read(raw_request(parameters=parameters), 1.0).asked.seconds == 1.0


def test_outputs_are_named() -> None:
    made = raw_request()
    made.outputs.add(name="second")

    assert read(made).outputs == ["second"]


def test_texts_as_bytes_have_their_lengths_before_them() -> None:
    made = request()
    made.inputs.add(name="text", datatype="BYTES", shape=[2])
    made.raw_input_contents.append(write_texts(["a", "bc"]))

    assert to_array(read(made).asked.inputs["text"]).tolist() == ["a", "bc"]


def _changed(change: Callable[[ModelInferRequest], object]) -> ModelInferRequest:
    made = raw_request()
    change(made)
    return made


@pytest.mark.parametrize(
    ("message", "error", "says"),
    [
        (request(), BadInputError, "inputs must be 1 to"),
        (raw_request(model_name=""), NotFoundError, "there is no network ''"),
        (raw_request(model_name="no name\0"), NotFoundError, "there is no network"),
        (raw_request(model_version="a/b"), NotFoundError, "there is no version 'a/b'"),
        (raw_request(id="x" * 257), BadInputError, "id must be"),
        (_changed(lambda it: it.raw_input_contents.append(b"")), BadInputError, "must have 1 parts"),
        (_changed(lambda it: it.raw_input_contents.__setitem__(0, b"1234")), BadInputError, "4 bytes of data"),
        (_changed(lambda it: it.inputs[0].shape.__setitem__(0, -1)), BadInputError, "shape must be"),
        (_changed(lambda it: it.inputs[0].shape.__setitem__(0, 2**62)), BadInputError, "shape must have at most"),
        (_changed(lambda it: setattr(it.inputs[0], "name", "")), BadInputError, "must have a name"),
        (_changed(lambda it: setattr(it.inputs[0], "datatype", "FP8")), BadInputError, "datatype must be one of"),
        (_changed(lambda it: it.inputs[0].contents.fp32_contents.append(1)), BadInputError, "both contents and raw"),
        (
            _changed(lambda it: it.inputs[0].parameters["shared_memory_region"].MergeFrom(REGION)),
            BadInputError,
            "shared_memory_region, which is not served",
        ),
        (typed_request("FP32", [1, 3], fp32_contents=[1, 2]), BadInputError, "has 2 values where the shape needs 3"),
        (typed_request("FP32", [1], fp64_contents=[1]), BadInputError, "and there are fp64_contents"),
        (typed_request("FP16", [1]), BadInputError, "must come as raw_input_contents"),
        (typed_request("INT8", [1], int_contents=[128]), BadInputError, "not all int8"),
        (typed_request("BYTES", [1], bytes_contents=[b"\xff"]), BadInputError, "no UTF-8"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(message: ModelInferRequest, error: type[InferenceError], says: str) -> None:
    with pytest.raises(error, match=says):
        read(message)


def test_two_inputs_of_one_name_are_refused() -> None:
    made = raw_request()
    made.inputs.add(name="numbers", datatype="FP32", shape=[1, 2])
    made.raw_input_contents.append(RAW)

    with pytest.raises(BadInputError, match="two inputs 'numbers'"):
        read(made)


def test_inputs_of_different_numbers_of_rows_are_refused() -> None:
    made = raw_request()
    made.inputs.add(name="more", datatype="FP32", shape=[2, 1])
    made.raw_input_contents.append(RAW)

    with pytest.raises(BadInputError, match="same number of rows"):
        read(made)


def test_more_than_a_message_to_a_worker_holds_is_refused() -> None:
    made = request()
    made.inputs.add(name="numbers", datatype="UINT8", shape=[1, TENSORS_BYTES_MAX + 1])
    made.raw_input_contents.append(bytes(TENSORS_BYTES_MAX + 1))

    with pytest.raises(TooLargeError):
        read(made)


def test_bytes_that_are_no_message_are_refused() -> None:
    with pytest.raises(BadInputError, match="no ModelInferRequest"):
        read_infer_call(b"\xff\xff\xff", None)
