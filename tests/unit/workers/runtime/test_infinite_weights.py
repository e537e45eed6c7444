"""Infinite weights, as masks and priors have them, are loaded where the network answers numbers with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from tests.unit.workers.runtime.loaded import assert_answers_alike, load_files, load_saved
from workers.runtime.backend import keras
from workers.runtime.errors import WeightsError
from workers.runtime.models import save_weights
from workers.runtime.weights_file import WeightsFileReader

# Keras makes numpy arrays of its variables in a way that NumPy 2 warns about.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
GIVEN = np.random.default_rng(6).random((5, 2), np.float32)


def dense(activation: str | None, bias: list[float], kernel: float = 1.0) -> keras.Model:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, activation)])
    model.set_weights([np.full((2, 3), kernel), np.array(bias)])
    return model


@pytest.mark.parametrize("kind", ["keras", "weights"])
@pytest.mark.parametrize("activation", ["softmax", None], ids=["a mask", "a log prior"])
def test_a_bias_of_minus_infinity_answers_as_keras_does(
    activation: str | None, kind: str, reader: WeightsFileReader, tmp_path: Path
) -> None:
    model = dense(activation, [0.5, -np.inf, 0.1])

    assert_answers_alike(load_saved(reader, model, kind, tmp_path), model, GIVEN)


def test_they_may_come_in_any_width(reader: WeightsFileReader) -> None:
    model = dense("softmax", [0.5, -np.inf, 0.1])
    named = {each.path: keras.ops.convert_to_numpy(each).astype(np.float64) for each in model.weights}

    assert_answers_alike(load_files(reader, str(model.to_json()), save(named)), model, GIVEN)


@pytest.mark.parametrize(("bias", "kernel"), [([np.inf, 0, 0], 1.0), ([0, 0, 0], -np.inf)], ids=["bias", "kernel"])
def test_infinite_weights_whose_answers_are_no_numbers_are_refused(
    bias: list[float], kernel: float, reader: WeightsFileReader
) -> None:
    model = dense("softmax", bias, kernel)

    with pytest.raises(WeightsError, match="holds infinite values, and the answers to zeros are no numbers with them"):
        load_files(reader, str(model.to_json()), save_weights(model))


def test_an_answer_that_is_a_number_only_because_it_was_compiled_is_none(reader: WeightsFileReader) -> None:
    """Infinity less infinity, and the ReLU after it, are one operation of TensorFlow, which answers 0."""
    model = keras.Sequential([keras.Input((2,)), *(keras.layers.Dense(2, "relu") for _ in range(2))])
    model.set_weights([np.ones((2, 2)), np.full(2, np.inf), np.array([[1, 1], [-1, -1]]), np.zeros(2)])
    assert np.isnan(np.asarray(model(GIVEN))).all()

    with pytest.raises(WeightsError, match="holds infinite values, and the answers to zeros are no numbers with them"):
        load_files(reader, str(model.to_json()), save_weights(model))


def test_a_weight_that_is_no_number_is_refused_also_where_no_answer_shows_it(reader: WeightsFileReader) -> None:
    given = keras.Input((2,))
    hidden = keras.layers.Dense(3)(given)
    model = keras.Model(given, keras.ops.zeros_like(hidden))
    model.set_weights([np.ones((2, 3)), np.array([0, np.nan, 0])])

    with pytest.raises(WeightsError, match=r"dense.*/bias holds values that are no numbers \(NaN\)"):
        load_files(reader, str(model.to_json()), save_weights(model))


@pytest.mark.parametrize("value", [1e300, -1e300])
def test_a_number_that_only_becomes_infinite_in_the_network_is_refused(
    value: float, reader: WeightsFileReader, tmp_path: Path
) -> None:
    """A file of float64 for a network of float32."""
    wide = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, dtype="float64", name="only")])
    wide.set_weights([np.ones((2, 3)), np.array([0, value, 0])])
    narrow: Any = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, name="only")])

    with pytest.raises(WeightsError, match="holds a number that is too large for float32"):
        load_files(reader, str(narrow.to_json()), save_weights(wide))
