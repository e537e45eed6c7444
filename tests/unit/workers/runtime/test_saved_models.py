"""What Keras saves of models of many kinds goes the whole way through a worker: fetched, cleaned, loaded, answering."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.samples import NN_ID
from workers.messages.protocol import VersionRef
from workers.runtime.backend import keras
from workers.runtime.models import save_weights
from workers.runtime.networks import LoadedVersion, Networks
from workers.runtime.weights_file import WeightsFileReader

# Keras makes numpy arrays of its variables in a way that NumPy 2 warns about.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
GIVEN = np.random.default_rng(1).random((4, 2), np.float32)
LAYERS = {
    "dense": lambda: [keras.layers.Dense(2)],
    "normalized": lambda: [keras.layers.Dense(2), keras.layers.BatchNormalization()],
    "dropout": lambda: [keras.layers.Dropout(0.5), keras.layers.Dense(2)],
    "recurrent": lambda: [keras.layers.Reshape((2, 1)), keras.layers.GRU(3, dropout=0.5)],
    "convolution": lambda: [keras.layers.Reshape((2, 1)), keras.layers.Conv1D(3, 2), keras.layers.Flatten()],
    "frozen": lambda: [keras.layers.Dense(2, trainable=False), keras.layers.Dense(1)],
    "nested": lambda: [keras.Sequential([keras.layers.Dense(2), keras.layers.Dropout(0.1)]), keras.layers.Dense(1)],
}


def train(model: keras.Model) -> None:
    model.compile(optimizer="adam", loss="mse", run_eagerly=True)
    model.train_on_batch(GIVEN, np.asarray(model(GIVEN)) + 1)


def load(reader: WeightsFileReader, config: str, weights: bytes) -> LoadedVersion:
    files = {hashlib.sha256(content).hexdigest(): content for content in (config.encode(), weights)}
    architecture, digest = files

    def fetch(name: str, target: Path) -> None:
        target.write_bytes(files[name])

    return Networks(fetch, reader, 1024**3).acquire(VersionRef(NN_ID, 1, digest, architecture))


def assert_answers_alike(loaded: LoadedVersion, model: Any) -> None:
    np.testing.assert_allclose(loaded.predict_rows(GIVEN), np.asarray(model(GIVEN, training=False)), atol=1e-6)


@pytest.mark.parametrize("trained", [False, True], ids=["untrained", "trained"])
@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS)
def test_the_weights_of_a_model_answer_as_the_model(
    layers: Callable[[], list[Any]], trained: bool, reader: WeightsFileReader
) -> None:
    model = keras.Sequential([keras.Input((2,)), *layers()])
    config = str(model.to_json())
    if trained:
        train(model)

    assert_answers_alike(load(reader, config, save_weights(model)), model)


def test_a_layer_that_is_used_twice_has_its_weights_twice(reader: WeightsFileReader) -> None:
    given, twice = keras.Input((2,)), keras.layers.Dense(2)
    model = keras.Model(given, twice(keras.layers.ReLU()(twice(given))))

    assert_answers_alike(load(reader, str(model.to_json()), save_weights(model)), model)


def test_the_config_of_a_compiled_model_is_an_architecture_too(reader: WeightsFileReader) -> None:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    untrained = save_weights(model)
    train(model)
    config = str(model.to_json())

    assert_answers_alike(load(reader, config, save_weights(model)), model)
    assert load(reader, config, untrained).predict_rows(GIVEN).shape == (4, 2)


def test_weights_of_the_same_shapes_in_other_layers_are_refused_or_answer_as_the_model(
    reader: WeightsFileReader,
) -> None:
    """Layers are told apart by their place and kind, not by what they were called when they were made."""
    first, second = (keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, name=name)]) for name in ("a", "b"))

    assert_answers_alike(load(reader, str(first.to_json()), save_weights(second)), second)


@pytest.mark.parametrize("policy", ["bfloat16", "mixed_bfloat16", "float16", "float64"])
def test_a_model_of_another_precision_answers_the_same(policy: str, reader: WeightsFileReader, tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((2,)), *[keras.layers.Dense(units, dtype=policy) for units in (5, 2)]])
    model.save(tmp_path / "model.keras")

    loaded = load(reader, model.to_json(), (tmp_path / "model.keras").read_bytes())

    expected = keras.ops.convert_to_numpy(keras.ops.cast(model(GIVEN), "float32"))
    np.testing.assert_allclose(loaded.predict_rows(GIVEN), expected, atol=1e-6)
