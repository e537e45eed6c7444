"""What is a row to predict, and what is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.errors import BadInputError
from inference.predict_input import read_predict_input
from workers.arrays import to_array

LARGEST_FLOAT32 = float(np.finfo(np.float32).max)


@pytest.mark.parametrize("vector", [[0.1, 0.2], [1, 2], [0], [1.5, 2], [-0.0], [2**53], [LARGEST_FLOAT32], [1e-60]])
def test_a_vector_is_one_row(vector: list[float]) -> None:
    asked = read_predict_input({"vector": vector})

    assert asked.single
    assert (asked.rows.dtype, asked.rows.shape) == ("float32", (1, len(vector)))
    assert to_array(asked.rows).tolist() == [np.array(vector, np.float32).tolist()]


@pytest.mark.parametrize("data", [[[0.1, 0.2]], [[1], [2], [3]], [[[1, 2], [3, 4]]]])
def test_data_is_a_batch_of_rows(data: list[Any]) -> None:
    asked = read_predict_input({"data": data})

    assert not asked.single
    assert to_array(asked.rows).tolist() == np.array(data, np.float32).tolist()


def test_other_fields_are_passed_over() -> None:
    assert read_predict_input({"vector": [1], "colour": "red"}).rows.shape == (1, 1)


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=50))
def test_every_finite_float32_arrives_bit_for_bit(vector: list[float]) -> None:
    asked = read_predict_input(orjson.loads(orjson.dumps({"vector": vector})))

    assert asked.rows.data == np.array(vector, "<f4").tobytes()


@pytest.mark.parametrize("body", [None, 5, "text", [], [0.1, 0.2], True])
def test_a_body_that_is_no_object_is_refused(body: object) -> None:
    with pytest.raises(BadInputError, match="the body must be an object"):
        read_predict_input(body)


@pytest.mark.parametrize(
    "body", [{}, {"Vector": [1]}, {"rows": [[1]]}, {"vector": [1], "data": [[1]]}, {"vector": None, "data": [[1]]}]
)
def test_a_body_without_exactly_one_of_vector_and_data_is_refused(body: object) -> None:
    with pytest.raises(BadInputError, match=r'either "vector" \(one row\) or "data"'):
        read_predict_input(body)


NOT_NUMBERS: list[Any] = [
    None,
    5,
    0.5,
    "0.1, 0.2",
    "",
    True,
    {},
    {"0": 0.1},
    [],
    [[]],
    [[], []],
    [None],
    [0.1, None],
    ["0.1", "0.2"],
    [0.1, "0.2"],
    [True, False],
    [0.1, True],
    [1, False],
    [{}],
    [0.1, {"a": 1}],
    [[0.1], 0.2],
    [[0.1, 0.2], [0.3]],
    [[1, 2], [3, None]],
    [[1, 2], [3, True]],
    [[1, 2], ["3", "4"]],
    [float("nan")],
    [[float("inf"), 1.0]],
    [1e39],
    [-1e39],
    [10**30],
    [10**400],
    ["\ud800"],
    [[[[[[1]]]]], 1],
]


@pytest.mark.parametrize("value", NOT_NUMBERS, ids=lambda value: repr(value)[:40])
@pytest.mark.parametrize("name", ["vector", "data"])
def test_what_is_no_list_of_finite_numbers_is_refused(name: str, value: object) -> None:
    with pytest.raises(BadInputError, match=f"^{name}"):
        read_predict_input({name: value})


def test_a_number_too_large_for_a_double_is_refused_by_the_parser_or_here() -> None:
    try:
        body = orjson.loads(b'{"vector": [1e400, 0.1]}')
    except orjson.JSONDecodeError:
        return
    with pytest.raises(BadInputError):
        read_predict_input(body)


@pytest.mark.parametrize("number", [2**63, 2**64 - 1, -(2**63)])
def test_whole_numbers_of_64_bits_are_numbers(number: int) -> None:
    assert to_array(read_predict_input({"vector": [number, 0.5]}).rows)[0, 0] == np.float32(number)
    assert to_array(read_predict_input({"vector": [number, 1]}).rows)[0, 0] == np.float32(number)


@pytest.mark.parametrize("vector", [[[0.1, 0.2]], [[[1]]]])
def test_a_vector_of_rows_is_refused(vector: list[Any]) -> None:
    with pytest.raises(BadInputError, match="vector must be a flat list"):
        read_predict_input({"vector": vector})


def test_data_that_is_one_row_is_refused() -> None:
    with pytest.raises(BadInputError, match="data must be a list of rows"):
        read_predict_input({"data": [0.1, 0.2]})


@pytest.mark.parametrize("depth", [30, 40, 70, 500])
def test_nesting_without_end_is_refused_or_read(depth: int) -> None:
    value: Any = 1.0
    for _ in range(depth):
        value = [value]

    if depth <= 32:
        assert len(read_predict_input({"data": value}).rows.shape) == depth
    else:
        with pytest.raises(BadInputError):
            read_predict_input({"data": value})


def test_a_long_text_among_the_numbers_is_refused_before_it_takes_memory() -> None:
    with pytest.raises(BadInputError, match="numbers only"):
        read_predict_input({"vector": ["x" * 4_000_000, *["a"] * 500_000]})
