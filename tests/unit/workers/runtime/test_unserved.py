"""Layers that answer otherwise for rows of any length when they are compiled are refused; with fixed sizes, not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.unit.workers.runtime.plain_networks import answered, layers, loaded, model_of
from workers.runtime.backend import keras
from workers.runtime.engine import Architecture
from workers.runtime.errors import ArchitectureError


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (
            lambda: model_of((None, 4), layers.TimeDistributed(layers.Dense(3))),
            "TimeDistributed over rows of any length",
        ),
        (lambda: model_of((None, None, 3), layers.CenterCrop(8, 8)), "CenterCrop of images of any size"),
    ],
)
def test_what_answers_otherwise_for_rows_of_any_length_is_refused(model: Any, reason: str) -> None:
    with pytest.raises(ArchitectureError, match=reason):
        Architecture(model().to_json())


def test_with_fixed_sizes_they_answer_as_keras_does() -> None:
    rows = np.random.default_rng(3).random((3, 5, 4)).astype(np.float32)
    model = model_of((5, 4), layers.TimeDistributed(layers.Dense(3)))
    architecture, weights = loaded(model)

    np.testing.assert_allclose(architecture.predict_rows(weights, rows), answered(model, rows), rtol=1e-6)


def test_what_is_as_long_as_a_number_is_large_is_refused() -> None:
    given = keras.Input((1,), dtype="int32")

    with pytest.raises(ArchitectureError, match="Bincount, whose answer is as long as a number of a row is large"):
        Architecture(keras.Model(given, keras.ops.bincount(given)).to_json())
