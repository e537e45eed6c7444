"""A layer that its model calls with `training=True` computes so, as `model(x)` does; all others do not train."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workers.runtime.backend import keras
from workers.runtime.engine import Architecture, Weights
from workers.runtime.loading import RANDOM, LoadedVersion

layers = keras.layers
# Keras makes numpy arrays of its variables in a way that NumPy 2 warns about.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
ROWS = np.random.default_rng(1).normal(size=(64, 4)).astype(np.float32)


def load(model: keras.Model, folder: Path) -> tuple[Architecture, Weights]:
    architecture = Architecture(model.to_json())
    model.save_weights(folder / "1.weights.h5")
    return architecture, architecture.load(folder / "1.weights.h5")


def model_of(make: Callable[[Any], Any]) -> keras.Model:
    given = keras.Input((4,))
    return keras.Model(given, make(given))


def nested(x: Any) -> Any:
    inner = keras.Sequential([keras.Input((4,)), layers.Dropout(0.5)])
    return inner(x, training=True)


def beside_others(x: Any) -> Any:
    return layers.Dropout(0.9)(layers.GaussianNoise(0.9)(layers.Dropout(0.5)(x, training=True)))


@pytest.mark.parametrize("make", [lambda x: layers.Dropout(0.5)(x, training=True), nested, beside_others])
def test_dropout_that_is_to_stay_drops_other_numbers_each_time(make: Callable[[Any], Any], tmp_path: Path) -> None:
    architecture, weights = load(model_of(make), tmp_path)
    one, other = (architecture.predict_rows(weights, ROWS) for _ in range(2))

    assert one.tolist() != other.tolist()
    for answers in (one, other):
        kept = answers != 0
        assert 0.3 < kept.mean() < 0.7
        np.testing.assert_allclose(answers[kept], 2 * ROWS[kept], 1e-6)
    assert LoadedVersion(architecture, weights).remarks[-1] == RANDOM


def test_a_batchs_own_statistics_are_those_of_each_requests_rows(tmp_path: Path) -> None:
    model = model_of(lambda x: layers.BatchNormalization()(x, training=True))
    architecture, weights = load(model, tmp_path)

    (answers,) = architecture.predict(weights, {"": ROWS}, [4, 60]).values()

    for first, last in ((0, 4), (4, 64)):
        rows = ROWS[first:last]
        normalized = (rows - rows.mean(axis=0)) / np.sqrt(rows.var(axis=0) + 1e-3)
        np.testing.assert_allclose(answers[first:last], normalized, 1e-4, 1e-4)
    assert RANDOM not in LoadedVersion(architecture, weights).remarks


@pytest.mark.parametrize(
    "make",
    [
        lambda x: layers.Dropout(0.5)(x),
        lambda x: layers.Dropout(0.5)(x, training=False),
        lambda x: layers.RandomFlip()(layers.Reshape((2, 2, 1))(x)),
        lambda x: keras.Sequential([keras.Input((4,)), layers.Dropout(0.5), layers.BatchNormalization()])(x),
    ],
)
def test_what_the_model_says_nothing_of_does_not_train(make: Callable[[Any], Any], tmp_path: Path) -> None:
    model = model_of(make)
    architecture, weights = load(model, tmp_path)

    for _ in range(2):
        np.testing.assert_array_equal(architecture.predict_rows(weights, ROWS), np.asarray(model(ROWS, training=False)))
    assert LoadedVersion(architecture, weights).remarks == []
