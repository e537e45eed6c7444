"""Whatever numbers a client writes, as JSON or as bytes, the same numbers are handed on."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from inference.dispatch.predict_input import PredictInput
from inference.http.bodies.large_json import read_large_json
from inference.http.open_inference.datatypes import DTYPES
from inference.http.open_inference.infer_body import read_infer_request
from inference.http.tensorflow_serving.predict_rows import read_rows_request
from tests.unit.inference.http.open_inference.inferring import binary
from workers.messages.arrays import to_arrays
from workers.messages.tensors import ONLY_INPUT

SHAPES = arrays.array_shapes(max_dims=4, max_side=4)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=5)


@st.composite
def written(draw: st.DrawFn, *, as_json: bool) -> NDArray[Any]:
    """An array of any dtype and shape; JSON has no infinite number, and none that is none."""
    dtype = DTYPES[draw(st.sampled_from(sorted(DTYPES)))]
    if dtype == "string":
        return draw(arrays.arrays(object, SHAPES, elements=TEXTS))
    elements = arrays.from_dtype(np.dtype(dtype), allow_nan=not as_json, allow_infinity=not as_json)
    return draw(arrays.arrays(dtype, SHAPES, elements=elements))


def read(inputs: list[Any], raw: bytes = b"") -> PredictInput:
    head = orjson.dumps({"inputs": inputs})
    return read_infer_request(head + raw, len(head), "iris", None).asked


def same(ours: NDArray[Any], theirs: NDArray[Any]) -> bool:
    """Whether each number is the same as a Python number, and so in any dtype that holds it."""
    return ours.shape == theirs.shape and repr(ours.tolist()) == repr(theirs.tolist())


@given(st.lists(written(as_json=False), min_size=1, max_size=3))
@settings(max_examples=300)
def test_bytes_come_as_the_same_numbers_of_the_same_dtype(inputs: list[NDArray[Any]]) -> None:
    inputs = [each[:1] for each in inputs]
    heads, raw = zip(*[binary(each, f"x{number}") for number, each in enumerate(inputs)], strict=True)

    came = to_arrays(read(list(heads), b"".join(raw)).inputs)

    assert list(came) == [f"x{number}" for number in range(len(inputs))]
    for ours, theirs in zip(inputs, came.values(), strict=True):
        assert same(ours, theirs)
        assert ours.dtype == theirs.dtype


@given(written(as_json=True), st.booleans())
@settings(max_examples=500)
def test_json_comes_as_the_same_numbers(array: NDArray[Any], flat: bool) -> None:
    head = binary(array)[0]
    del head["parameters"]

    came = to_arrays(read([{**head, "data": (array.ravel() if flat else array).tolist()}]).inputs)

    assert np.array_equal(came["x"], array)
    assert came["x"].shape == array.shape


@given(written(as_json=True), st.booleans(), st.booleans())
@settings(max_examples=300)
def test_rows_and_columns_of_the_other_protocol_do_too(array: NDArray[Any], by_row: bool, large: bool) -> None:
    body = orjson.dumps({"instances" if by_row else "inputs": array.tolist()})

    request = read_rows_request((read_large_json if large else orjson.loads)(body), "iris", None)

    came = to_arrays(request.asked.inputs)
    assert list(came) == [ONLY_INPUT]
    assert np.array_equal(came[ONLY_INPUT], array)
    assert request.by_row is by_row
