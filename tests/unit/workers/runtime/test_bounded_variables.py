"""Variables are counted before they are made."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from typing import Any

import numpy as np
import pytest

from workers.runtime.backend import keras, tf
from workers.runtime.bounded_variables import bounded_variables
from workers.runtime.errors import ArchitectureError


def make(max_bytes: int, *variables: tuple[Any, int], quietly: bool = False) -> None:
    with bounded_variables(max_bytes), suppress(ArchitectureError) if quietly else nullcontext():
        for initializer, size in variables:
            keras.Variable(initializer, shape=(size,))


def test_variables_within_the_bound_are_made_as_ever() -> None:
    with bounded_variables(400):
        made = [keras.Variable("ones", shape=(50,)), keras.Variable(np.full(50, 7, np.float32))]

    assert [each.numpy().sum() for each in made] == [50, 350]


def test_of_a_variable_that_needs_too_much_no_number_is_drawn() -> None:
    drawn: list[bool] = []

    def draw(shape: Any, dtype: Any = None) -> Any:
        drawn.append(tf.executing_eagerly())
        return tf.zeros(shape, dtype)

    with pytest.raises(ArchitectureError, match="needs 444 bytes of memory, more than the 400 allowed"):
        make(400, ("ones", 11), (draw, 100))

    assert drawn == [False]


def test_who_goes_on_without_the_variable_is_refused_all_the_same() -> None:
    with pytest.raises(ArchitectureError, match="more than the 10 allowed"):
        make(10, ("ones", 11), quietly=True)
