"""What a network takes: inputs by name, rows of its shape, numbers that stay what they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workers.runtime.errors import NumbersError, RowsError
from workers.runtime.rows import TensorInfo, arrange_rows, cast

ONE = (TensorInfo("numbers", "float32", (2,)),)
TWO = (TensorInfo("image", "float32", (None, 3)), TensorInfo("place", "int32", ()))


@pytest.mark.parametrize("name", ["", "numbers"])
def test_an_only_input_needs_no_name(name: str) -> None:
    assert arrange_rows(ONE, {name: np.ones((4, 2))})[0].shape == (4, 2)


def test_several_inputs_come_in_the_networks_order() -> None:
    first, second = arrange_rows(TWO, {"place": np.array([1, 2]), "image": np.ones((2, 5, 3))})

    assert (first.shape, first.dtype, second.tolist(), second.dtype) == ((2, 5, 3), np.float32, [1, 2], np.int32)


@pytest.mark.parametrize(
    "names", [{"image"}, {"image", "place", "more"}, {"image", "Place"}, {""}, set(), {"", "image"}], ids=range(6)
)
def test_inputs_that_are_missing_or_unknown_are_refused(names: set[str]) -> None:
    with pytest.raises(RowsError, match="the network's inputs are 'image', 'place', got"):
        arrange_rows(TWO, dict.fromkeys(names, np.ones((2, 5, 3))))


def test_where_a_row_is_one_number_it_needs_no_list_of_its_own() -> None:
    inputs = (TensorInfo("numbers", "float32", (1,)),)

    assert arrange_rows(inputs, {"": np.array([5.0, 6.0])})[0].tolist() == [[5], [6]]
    assert arrange_rows(inputs, {"": np.array([[5.0], [6.0]])})[0].tolist() == [[5], [6]]


@pytest.mark.parametrize("row_shape", [(2,), (None,), (1, 1)])
def test_where_a_row_is_more_than_one_number_a_number_is_none(row_shape: tuple[int | None, ...]) -> None:
    with pytest.raises(RowsError, match=r"the network takes rows of shape \(.*\), got \(\)"):
        arrange_rows((TensorInfo("numbers", "float32", row_shape),), {"": np.array([5.0])})


@pytest.mark.parametrize("shape", [(2,), (2, 3), (2, 5, 4), (2, 5, 3, 1), (0, 5, 3), ()], ids=str)
def test_rows_of_another_shape_are_refused_by_the_inputs_name(shape: tuple[int, ...]) -> None:
    with pytest.raises(RowsError, match=r"takes rows of shape \(None, 3\) for 'image'"):
        arrange_rows(TWO, {"image": np.ones(shape), "place": np.array([1, 2])})


def test_different_numbers_of_rows_are_refused() -> None:
    with pytest.raises(RowsError, match="same number of rows, got 2 for 'image', 3 for 'place'"):
        arrange_rows(TWO, {"image": np.ones((2, 5, 3)), "place": np.array([1, 2, 3])})


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([1.5, 2.0], "int32"), ([np.nan], "int32"), ([np.inf], "int64"), ([3e9], "int32"), ([-1], "uint8"),
        ([256], "uint8"), ([2**40], "int32"), ([2], "bool"), ([0.5], "bool"), ([1e39], "float32"), ([-1e39], "float32"),
        ([1.0, 7e4], "float16"), ([70_000], "float16"), ([2.0**63], "int64"), ([-(2.0**63)], "int64"),
        ([2.0**64], "uint64"), ([2**64 - 1], "int64"), ([-1], "uint64"),
    ],
)  # fmt: skip
def test_numbers_that_would_become_others_are_refused(values: Any, wanted: str) -> None:
    with pytest.raises(NumbersError, match=f"'x' takes {wanted}, got"):
        cast(TensorInfo("x", wanted, ()), np.array(values))


@pytest.mark.parametrize(
    ("values", "wanted"), [(["1"], "float32"), ([1j], "float32"), ([True], "float32"), ([True], "int8")]
)
def test_what_is_no_number_is_refused(values: Any, wanted: str) -> None:
    with pytest.raises(RowsError, match=f"'x' takes {wanted}, got"):
        cast(TensorInfo("x", wanted, ()), np.array(values))


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (np.array([0.1, 2.0]), "float32"), (np.array([1.0, -2.0]), "int32"), (np.array([1, 2]), "float32"),
        (np.array([0, 1]), "bool"), (np.array([0.0, 1.0]), "bool"), (np.array([True]), "bool"),
        (np.array([7], np.uint64), "int8"), (np.array([2.0**53, -(2.0**62)]), "int64"),
        (np.array([-(2**63), 2**63 - 1]), "int64"), (np.array([-(2.0**31), 2.0**31 - 1]), "int32"),
        (np.array([np.inf, -np.inf, np.nan]), "float16"), (np.array([2**63 - 1]), "uint64"),
    ],
)  # fmt: skip
def test_numbers_that_stay_what_they_are_are_taken(values: Any, wanted: str) -> None:
    converted = cast(TensorInfo("x", wanted, ()), values)

    assert converted.dtype == wanted
    np.testing.assert_allclose(converted, values, rtol=1e-6)


def test_numbers_of_the_right_kind_are_not_copied() -> None:
    values = np.ones(3, np.float32)

    assert cast(ONE[0], values) is values
