"""What is answered to a ModelInferRequest, in the form that it came in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from inference.errors import BadInputError
from inference.grpc_door.infer_request import read_infer_call
from inference.grpc_door.infer_response import write_infer_response
from inference.grpc_door.open_inference_pb2 import ModelInferRequest, ModelInferResponse
from tests.unit.inference.grpc_door.messages import raw_request, typed_request
from tests.unit.samples import VERSION, answer_with
from workers.messages.arrays import text_array
from workers.messages.tensors import write_texts

TYPED = typed_request("FP32", [1, 2], fp32_contents=[0.5, 0.25])


def answered(request: ModelInferRequest, **outputs: Any) -> ModelInferResponse:
    call = read_infer_call(request.SerializeToString(), None)
    return ModelInferResponse.FromString(write_infer_response(call, answer_with(outputs, batch_rows=3)))


def test_bytes_are_answered_by_bytes() -> None:
    told = answered(raw_request(id="mine"), sum=np.array([[0.75]], np.float32))

    assert (told.model_name, told.model_version, told.id) == ("sum", str(VERSION.number), "mine")
    assert [(each.name, each.datatype, list(each.shape)) for each in told.outputs] == [("sum", "FP32", [1, 1])]
    assert list(told.raw_output_contents) == [np.array([0.75], "<f4").tobytes()]
    assert not told.outputs[0].HasField("contents")


def test_typed_contents_are_answered_by_typed_contents() -> None:
    told = answered(TYPED, sum=np.array([[0.75]], np.float32), label=text_array(["kühl"], (1, 1)))

    assert list(told.outputs[0].contents.fp32_contents) == [0.75]
    assert list(told.outputs[1].contents.bytes_contents) == ["kühl".encode()]
    assert not told.raw_output_contents


def test_half_precision_is_always_answered_in_bytes() -> None:
    told = answered(TYPED, half=np.array([[0.5]], np.float16), sum=np.array([[0.75]], np.float32))

    assert [each.datatype for each in told.outputs] == ["FP16", "FP32"]
    assert [len(each) for each in told.raw_output_contents] == [2, 4]


def test_texts_in_bytes_have_their_lengths_before_them() -> None:
    told = answered(raw_request(), label=text_array(["a", "bc"], (2, 1)))

    assert (told.outputs[0].datatype, list(told.outputs[0].shape)) == ("BYTES", [2, 1])
    assert list(told.raw_output_contents) == [write_texts(["a", "bc"])]


def test_only_the_outputs_that_are_wanted_are_answered_in_their_order() -> None:
    request = raw_request()
    request.outputs.add(name="b")
    request.outputs.add(name="a")
    one = np.ones((1, 1), np.float32)

    assert [each.name for each in answered(request, a=one, b=one, c=one).outputs] == ["b", "a"]


def test_an_output_that_the_network_lacks_is_refused() -> None:
    request = raw_request()
    request.outputs.add(name="other")

    with pytest.raises(BadInputError, match="has no output 'other'; it has 'sum'"):
        answered(request, sum=np.ones((1, 1), np.float32))
