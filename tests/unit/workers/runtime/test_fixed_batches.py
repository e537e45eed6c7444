"""Networks that were made for a fixed number of rows answer any number, where that changes no answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.unit.workers.runtime.loaded import assert_answers_alike, load_saved
from workers.runtime.backend import keras
from workers.runtime.engine import Architecture
from workers.runtime.errors import ArchitectureError
from workers.runtime.weights_file import WeightsFileReader

# Keras makes numpy arrays of its variables in a way that NumPy 2 warns about.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
layers = keras.layers
RANDOM = np.random.default_rng(10)


def of_one_row() -> keras.Model:
    return keras.Sequential([keras.Input(batch_shape=(1, 4, 3)), layers.Flatten(), layers.Dense(2)])


def called_on_two_rows() -> keras.Model:
    model = keras.Sequential([layers.LSTM(3, return_sequences=True), layers.TimeDistributed(layers.Dense(2))])
    model(np.ones((2, 4, 3), np.float32))
    return model


def nested() -> keras.Model:
    given = keras.Input(batch_shape=(2, 4, 3))
    first, second = (keras.Sequential([layers.Dense(5, "relu"), layers.Dropout(0.5), layers.Dense(3)]) for _ in "12")
    attended = layers.MultiHeadAttention(2, 2)(given, first(given))
    return keras.Model(given, layers.Bidirectional(layers.GRU(2))(layers.TimeDistributed(second)(attended)))


MODELS: dict[str, Callable[[], keras.Model]] = {
    "of one row": of_one_row,
    "called on two rows": called_on_two_rows,
    "nested": nested,
}


@pytest.mark.parametrize("kind", ["keras", "weights"])
@pytest.mark.parametrize("name", MODELS)
def test_any_number_of_rows_is_answered_as_keras_does(
    name: str, kind: str, reader: WeightsFileReader, tmp_path: Path
) -> None:
    model = MODELS[name]()
    model.set_weights([RANDOM.normal(size=each.shape) for each in model.get_weights()])
    rows = RANDOM.normal(size=(6, 4, 3)).astype(np.float32)
    count = model.inputs[0].shape[0]
    expected = np.concatenate([np.asarray(model(rows[first : first + count])) for first in range(0, 6, count)])

    loaded = load_saved(reader, model, kind, tmp_path)

    assert_answers_alike(loaded, model, rows, expected=expected)


@pytest.mark.parametrize(
    "layer",
    [layers.LSTM(2, stateful=True, name="kept"), layers.Bidirectional(layers.GRU(2, stateful=True, name="kept"))],
    ids=["a layer", "both ways"],
)
def test_a_stateful_network_is_refused_in_one_line(layer: keras.layers.Layer) -> None:
    config = str(keras.Sequential([keras.Input(batch_shape=(1, 4, 3)), layer]).to_json())

    with pytest.raises(ArchitectureError, match=r"kept' is stateful: .*make it with stateful=False$") as refused:
        Architecture(config)
    assert "\n" not in str(refused.value)


def test_a_network_that_computes_with_its_number_of_rows_is_refused() -> None:
    given = keras.Input(batch_shape=(4, 2))
    config = str(keras.Model(given, keras.ops.reshape(given, (4, 2))).to_json())

    with pytest.raises(ArchitectureError, match="has a fixed number of rows"):
        Architecture(config)
