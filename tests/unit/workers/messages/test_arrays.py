"""Numbers arrive bit for bit as they left."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from workers.messages.arrays import to_array, to_arrays, to_tensor, to_tensors
from workers.messages.message import ProtocolError
from workers.messages.tensors import Tensor

DTYPES = [
    "bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float16", "float32", "float64",
]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_comes_back_with_its_shape_and_values(dtype: str) -> None:
    array = np.arange(6).reshape(1, 3, 2).astype(dtype)

    back = to_array(Tensor.from_json(to_tensor(array).to_json()))

    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    assert np.array_equal(back, array)


@given(st.lists(st.floats(width=32), min_size=1))
def test_a_float32_comes_back_bit_for_bit_whatever_it_is(numbers: list[float]) -> None:
    array = np.array(numbers, np.float32)

    assert to_array(to_tensor(array)).tobytes() == array.tobytes()


TEXT = st.text(st.characters(codec="utf-8"))


@given(st.lists(TEXT, min_size=2, max_size=2), st.lists(TEXT, min_size=2, max_size=2))
def test_texts_come_back_as_they_were_alone_and_joined(first: list[str], second: list[str]) -> None:
    one, other = (to_tensor(np.array([texts], object)) for texts in (first, second))
    joined = Tensor("string", (2, 2), one.data + other.data)

    assert to_array(Tensor.from_json(joined.to_json())).tolist() == [first, second]


def test_numpys_own_texts_do_not_travel() -> None:
    with pytest.raises(ProtocolError, match="unknown dtype 'str"):
        to_tensor(np.array(["a"]))


@pytest.mark.parametrize(
    ("count", "data", "reason"),
    [
        (2, b"\1\0\0\0a", "5 bytes of data hold no 2 texts"),
        (2**60, b"\0\0\0\0", "shape must have at most 2147483647 numbers"),
        (2**30, b"\0\0\0\0", "4 bytes of data hold no"),
        (1, b"\2\0\0\0a", "5 bytes of data where the lengths of 1 texts need 6"),
        (1, b"\1\0\0\0ab", "6 bytes of data where the lengths of 1 texts need 5"),
        (2, b"\4\0\0\0\0\0\0\0", "where the lengths of 2 texts need 8|need 12"),
        (1, b"\1\0\0\0\xff", "a text is no UTF-8"),
        (1, b"\3\0\0\0\xed\xa0\x80", "a text is no UTF-8"),
    ],
)
def test_data_that_hold_other_texts_than_the_shape_says_are_refused(count: int, data: bytes, reason: str) -> None:
    with pytest.raises(ProtocolError, match=reason):
        Tensor("string", (count,), data).check()


def test_big_endian_numbers_travel_little_endian() -> None:
    assert to_tensor(np.array([1], ">i4")) == Tensor("int32", (1,), b"\x01\x00\x00\x00")


def test_a_transposed_array_travels_row_by_row() -> None:
    array = np.array([[1, 2], [3, 4]], np.float32).T

    assert to_array(to_tensor(array)).tolist() == [[1.0, 3.0], [2.0, 4.0]]


def test_a_truth_value_is_0_or_1_whatever_byte_came() -> None:
    array = to_array(Tensor("bool", (3,), b"\x00\x01\xff"))

    assert array.astype(int).tolist() == [0, 1, 1]
    assert not array.flags.writeable


def test_arrays_keep_their_names() -> None:
    arrays = {"a": np.ones((2, 3)), "b": np.array([1, 2])}

    back = to_arrays(to_tensors(arrays))

    assert {name: array.tolist() for name, array in back.items()} == {"a": [[1.0] * 3] * 2, "b": [1, 2]}


def test_no_rows_are_rows_too() -> None:
    assert to_array(to_tensor(np.zeros((0, 2), np.float32))).shape == (0, 2)


def test_what_came_cannot_be_written_to() -> None:
    array = to_array(to_tensor(np.ones((1, 2), np.float32)))

    with pytest.raises(ValueError, match="read-only"):
        array[0, 0] = 2


@pytest.mark.parametrize("array", [np.array(1.0), np.array([1j])], ids=["without rows", "of a dtype that none has"])
def test_what_is_no_tensor_is_not_made_one(array: NDArray[Any]) -> None:
    with pytest.raises(ProtocolError):
        to_tensor(array)
