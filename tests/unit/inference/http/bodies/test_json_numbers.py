"""Numbers of a JSON body become the dtype that holds them as they were written."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.errors import BadInputError
from inference.http.bodies.json_numbers import FEW, few_floats, read_numbers

finite = st.floats(allow_nan=False, allow_infinity=False)
exact = st.integers(1 - 2**53, 2**53 - 1)


@given(st.lists(finite | exact, min_size=1, max_size=50))
def test_what_float64_holds_arrives_as_it_was_written(numbers: list[float]) -> None:
    array = read_numbers("vector", orjson.loads(orjson.dumps(numbers)))

    assert array.dtype == np.float64
    assert array.tobytes() == np.array(numbers, np.float64).tobytes()


@given(st.lists(st.integers(-(2**63), 2**64 - 1) | finite, min_size=1, max_size=5))
def test_numbers_arrive_exactly_or_are_refused(numbers: list[float]) -> None:
    try:
        array = read_numbers("vector", numbers)
    except BadInputError:
        for dtype in (np.float64, np.int64, np.uint64):
            try:
                assert np.array(numbers, object).astype(dtype).tolist() != numbers
            except (OverflowError, ValueError):
                continue
    else:
        assert array.tolist() == numbers


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        ([0.1, 0.2], "float64"),
        ([1, 2], "float64"),
        ([1, 2.5], "float64"),
        ([2**53 - 1, 1 - 2**53], "float64"),
        ([2**53, -(2**53)], "int64"),
        ([2**53, -(2.0**53)], "float64"),
        ([-(2**63)], "int64"),
        ([-(2**63), 2**63], "float64"),
        ([-(2.0**63), 1], "float64"),
        ([2**53 + 1, -(2**63), 1.0], "int64"),
        ([2**53 + 1], "int64"),
        ([-(2**53) - 1, 2**63 - 1], "int64"),
        ([2**53 + 1, 1.0], "int64"),
        ([2**64 - 1], "uint64"),
        ([2**63 + 1, 0], "uint64"),
        ([1e300, 2**60], "float64"),
        ([True, False], "bool"),
        ([[[True]]], "bool"),
        (5, "float64"),
        (False, "bool"),
        ("", "object"),
        (["0.1", "a\0b\0", "😀"], "object"),
        ([[["a"], [""]]], "object"),
    ],
    ids=repr,
)
def test_the_first_dtype_that_holds_all_is_taken(value: Any, dtype: str) -> None:
    array = read_numbers("vector", value)

    assert (array.dtype, array.tolist()) == (np.dtype(dtype), value)


@pytest.mark.parametrize("value", [[1], [[1, 2], [3, 4]], [[[1], [2]]], [[[[0.5]]]]], ids=repr)
def test_lists_keep_their_shape(value: Any) -> None:
    assert read_numbers("data", value).shape == np.array(value).shape


REFUSED: list[Any] = [
    None, {}, {"0": 0.1}, [], [[]], [[], []], [None], [0.1, None], [0.1, "0.2"], ["0.1", None], [{}],
    [0.1, True], [1, False], [[1], [True]], [0.1, {"a": 1}], [[0.1], 0.2], [[0.1, 0.2], [0.3]], [[1, 2], [3, None]],
    [[1, 2], ["3", "4"]], [float("nan")], [[float("inf"), 1.0]], [10**30], [10**400], [-(2**63), 2**63 + 1],
    [2**53 + 1, 0.5], [2**53 + 1, -(2.0**63)], [2**64 - 1, -1], ["\ud800"], [[[[[[1]]]]], 1], [[True], [1.5]],
]  # fmt: skip


@pytest.mark.parametrize("value", REFUSED, ids=lambda value: repr(value)[:40])
def test_what_no_dtype_holds_is_refused(value: Any) -> None:
    with pytest.raises(BadInputError, match=r"^here"):
        read_numbers("here", value)


@pytest.mark.parametrize("depth", [1, 31, 32, 33, 64, 70, 500])
def test_lists_are_nested_up_to_32_deep(depth: int) -> None:
    value: Any = 1.0
    for _ in range(depth):
        value = [value]

    if depth <= 32:
        assert read_numbers("data", value).ndim == depth
    else:
        with pytest.raises(BadInputError, match="deeper than 32"):
            read_numbers("data", value)


def test_a_long_text_makes_short_ones_no_longer() -> None:
    array = read_numbers("vector", ["x" * 4_000_000, *["a"] * 500_000])

    assert array.nbytes < 10 * 500_001


def test_a_long_text_among_the_numbers_is_refused_before_it_takes_memory() -> None:
    with pytest.raises(BadInputError, match="numbers only, texts only"):
        read_numbers("vector", ["x" * 4_000_000, *[0.5] * 500_000])


@given(st.lists(finite, min_size=1, max_size=FEW))
def test_a_few_floats_travel_as_others_do(numbers: list[float]) -> None:
    whole = any(abs(number) >= 2**53 for number in numbers)

    assert few_floats(numbers) == (None if whole else read_numbers("vector", numbers).tobytes())


@pytest.mark.parametrize("value", [[], [1], [1.0, 1], [True], [1.0, None], [[1.0]], [1.0] * (FEW + 1), [2.0**53]])
def test_anything_else_does_not(value: list[Any]) -> None:
    assert few_floats(value) is None
