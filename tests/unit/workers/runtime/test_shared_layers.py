"""Layers that are described, or saved, more often than they are there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tests.unit.workers.runtime.loaded import assert_answers_alike, load_files, load_saved
from workers.runtime.backend import keras
from workers.runtime.engine import Architecture
from workers.runtime.errors import WeightsError
from workers.runtime.models import save_weights
from workers.runtime.weights_file import WeightsFileReader

# Keras makes numpy arrays of its variables in a way that NumPy 2 warns about.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
layers = keras.layers
RANDOM = np.random.default_rng(9)


def used_twice(make: Callable[[], Any]) -> keras.Model:
    """By each step of a sequence, and by its first alone."""
    inner, given = make(), keras.Input((4, 3))
    each, first = layers.TimeDistributed(inner)(given), inner(given[:, 0])
    return keras.Model(given, layers.Add()([each, layers.RepeatVector(4)(first)]))


def spectral() -> keras.Model:
    chain = [layers.SpectralNormalization(layers.Conv1D(3, 2)), layers.SpectralNormalization(layers.Dense(2))]
    return keras.Sequential([keras.Input((4, 3)), *chain])


MODELS: dict[str, Callable[[], keras.Model]] = {
    "a model": lambda: used_twice(
        lambda: keras.Sequential([keras.Input((3,)), layers.Dense(3, "tanh"), layers.Dense(3)])
    ),
    "a layer": lambda: used_twice(lambda: layers.Dense(3)),
    "a quantized layer": lambda: used_twice(lambda: layers.Dense(3, dtype="int8_from_float32")),
    "spectral normalization": spectral,
}


def filled(model: keras.Model) -> keras.Model:
    model.set_weights(
        [
            RANDOM.normal(size=each.shape).astype(each.dtype) if each.dtype != np.int8 else each + 3
            for each in model.get_weights()
        ]
    )
    return model


@pytest.mark.parametrize("kind", ["keras", "weights"])
@pytest.mark.parametrize("name", MODELS)
def test_it_answers_as_keras_does(name: str, kind: str, reader: WeightsFileReader, tmp_path: Path) -> None:
    model = filled(MODELS[name]())

    loaded = load_saved(reader, model, kind, tmp_path)

    assert_answers_alike(loaded, model, RANDOM.normal(size=(5, 4, 3)).astype(np.float32))
    assert len(loaded.weights.tensors) == len(model.weights)


def test_a_config_that_does_not_say_that_layers_share_one_is_refused_with_what_to_send(
    reader: WeightsFileReader,
) -> None:
    model = MODELS["a model"]()

    with pytest.raises(WeightsError, match=r"holds 4 arrays, the architecture has 8\. .* that Keras itself loads"):
        load_files(reader, str(model.to_json()), save_weights(model))


def test_of_a_kernel_that_is_saved_twice_the_inner_one_counts_as_in_keras(
    reader: WeightsFileReader, tmp_path: Path
) -> None:
    model = filled(keras.Sequential([keras.Input((3,)), layers.SpectralNormalization(layers.Dense(2))]))
    file = tmp_path / "a.weights.h5"
    file.write_bytes(save_weights(model))
    with h5py.File(file, "r+") as opened:
        outer = opened["layers/spectral_normalization/vars/0"]
        assert np.array_equal(outer, opened["layers/spectral_normalization/layer/vars/0"])
        outer[...] = 7

    loaded = load_files(reader, str(model.to_json()), file.read_bytes())

    assert_answers_alike(loaded, model, RANDOM.normal(size=(5, 3)).astype(np.float32))


def test_a_file_with_an_array_more_than_is_saved_is_refused(reader: WeightsFileReader, tmp_path: Path) -> None:
    model = spectral()
    file = tmp_path / "a.weights.h5"
    file.write_bytes(save_weights(model))
    with h5py.File(file, "r+") as opened:
        opened["layers/spectral_normalization/vars/9"] = np.zeros(1, np.float32)

    with pytest.raises(WeightsError, match="holds more than the architecture's weights"):
        load_files(reader, str(model.to_json()), file.read_bytes())


def test_what_is_listed_as_saved_is_what_keras_saves(tmp_path: Path) -> None:
    model = spectral()
    listed = [(each.shape, each.dtype) for each in Architecture(str(model.to_json())).wanted.saved_arrays]
    model.save_weights(tmp_path / "a.weights.h5")
    found: list[tuple[tuple[int, ...], str]] = []
    with h5py.File(tmp_path / "a.weights.h5") as opened:
        opened.visititems(
            lambda _, each: found.append((each.shape, each.dtype.name)) if hasattr(each, "shape") else None
        )

    assert sorted(listed) == sorted(found)
