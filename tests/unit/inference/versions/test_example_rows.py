"""Rows to try a version with fit its inputs, as workers have told them."""

from __future__ import annotations

from typing import Any

import pytest

from inference.models import Version
from inference.versions.example_rows import NUMBERS_MAX, example_rows
from inference.versions.uploads import store_version
from tests.unit.samples import NN_ID, only_input
from workers.messages.network_signature import NetworkSignature, TensorSignature
from workers.messages.terms import Expected, Terms

pytestmark = pytest.mark.django_db
OUTPUTS = [TensorSignature("y", "float32", [1])]


def stored(*inputs: TensorSignature, terms: Terms | None = None) -> Version:
    version = store_version(NN_ID, "w", b"w", b"{}", terms=terms.to_bytes() if terms else None)
    if inputs:
        version.signature = NetworkSignature(inputs, OUTPUTS).to_json()
        version.save()
    return Version.objects.get(pk=version.pk)


@pytest.mark.parametrize(
    ("dtype", "shape", "row"),
    [
        ("float32", [2], [0.0, 0.0]),
        ("float16", [None, 2], [[0.0, 0.0]]),
        ("uint8", [], 0),
        ("int64", [2, 1], [[0], [0]]),
        ("bool", [1], [False]),
        ("string", [None], [""]),
        ("float32", [0], []),
        ("float32", [NUMBERS_MAX + 1], [0.0]),
        ("float32", [2**40, 2**40], [0.0]),
        ("float32", [1] * 63, None),
    ],
    ids=str,
)
def test_zeros_are_of_the_inputs_kind_and_shape(dtype: str, shape: list[int | None], row: Any) -> None:
    (made,) = example_rows(stored(TensorSignature("x", dtype, shape)))

    if row is not None:
        assert (made, type(made)) == (row, type(row))
        assert repr(made) == repr(row)  # 0, 0.0 and False are equal
    for _ in shape if row is None else []:
        (made,) = made


def test_several_inputs_have_a_row_each_by_name() -> None:
    version = stored(TensorSignature("image", "float32", [2, 1]), TensorSignature("place", "int64", []))

    assert example_rows(version) == {"image": [[[0.0], [0.0]]], "place": [0]}


def test_examples_come_before_zeros() -> None:
    expected = Expected(only_input([1.0, 2.0], [3.0, 4.0], [5.0, 6.0]), only_input([0.0], [0.0], [0.0]), 0.1)
    version = stored(TensorSignature("x", "float32", [7]), terms=Terms((), expected))

    assert example_rows(version) == [[1.0, 2.0], [3.0, 4.0]]


def test_a_version_that_no_worker_told_of_is_tried_with_one_number() -> None:
    assert example_rows(stored()) == [[0.0]]
