"""Rows to try a version with fit its inputs, as far as its architecture tells, and never fail."""

from __future__ import annotations

import json
from typing import Any

import pytest

from inference.versions.example_rows import example_rows
from inference.versions.uploads import store_version
from tests.unit.samples import NN_ID, only_input
from workers.messages.terms import Expected, Terms
from workers.settings import ROOT

pytestmark = pytest.mark.django_db


def rows_of(architecture: Any, terms: Terms | None = None) -> Any:
    text = architecture if isinstance(architecture, str) else json.dumps(architecture)
    told = terms.to_bytes() if terms else None
    return example_rows(store_version(NN_ID, "w", b"w", text.encode(), terms=told))


def given(name: str, shape: list[Any], dtype: str = "float32") -> dict[str, Any]:
    return {"class_name": "InputLayer", "config": {"name": name, "batch_shape": [None, *shape], "dtype": dtype}}


def functional(*layers: Any) -> dict[str, Any]:
    return {"class_name": "Functional", "config": {"layers": list(layers)}}


def test_the_sum_network_takes_two_numbers() -> None:
    assert rows_of((ROOT / "data" / "sum_network.json").read_text()) == [[0.0, 0.0]]


def test_several_inputs_have_a_row_each_by_name() -> None:
    described = functional(
        given("image", [2, 1]), given("place", [], "int64"), given("word", [None], "string"),
        given("flag", [1], "bool"),
        {"class_name": "Dense", "config": {"name": "dense"}},
    )  # fmt: skip
    assert rows_of(described) == {"image": [[[0.0], [0.0]]], "place": [0], "word": [[""]], "flag": [[False]]}


def test_examples_come_before_zeros() -> None:
    expected = Expected(only_input([1.0, 2.0], [3.0, 4.0], [5.0, 6.0]), only_input([0.0], [0.0], [0.0]), 0.1)
    assert rows_of({}, Terms((), expected)) == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    "architecture",
    [
        "", "{", "null", "[]", {}, {"config": None}, {"class_name": "Sequential", "config": {"layers": []}},
        functional("text"), functional({"config": {}}), functional(given("a", [])["config"]), "[" * 100_000,
        functional({"class_name": "InputLayer", "config": {"name": "a", "batch_shape": 5}}),
        functional(given("huge", [2**40])), functional(given("odd", ["x"])), functional(given("less", [-1])),
        functional(given("deep", [1] * 5000)),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_what_cannot_be_read_is_a_row_of_one_number(architecture: Any) -> None:
    assert rows_of(architecture) in ([[0.0]], [0.0])
