"""A weights file as Keras saves it is loaded without Keras, to the same numbers; any other one by Keras itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import pytest

from tests.unit.networks import SUM_CONFIG, weights_bytes
from workers.runtime.backend import keras
from workers.runtime.clean_hdf5 import clean
from workers.runtime.engine import Architecture
from workers.runtime.models import build_model
from workers.runtime.saved_arrays import list_saved_arrays
from workers.runtime.saved_names import find_saved_names

layers = keras.layers
CHAINS: dict[str, list[Any]] = {
    "dense": [layers.Dense(3, "relu"), layers.Dense(3)],
    "norm": [layers.Dense(3), layers.BatchNormalization(), layers.Dropout(0.5)],
    "loop": [layers.LSTM(3, return_sequences=True), layers.Bidirectional(layers.GRU(3))],
    "wrapped": [layers.TimeDistributed(layers.Dense(3)), layers.LayerNormalization()],
    "nested": [keras.Sequential([keras.Input((4, 3)), layers.Dense(3)]), layers.Dense(3)],
}


def config_of(chain: list[Any], **options: Any) -> str:
    return str(keras.Sequential([keras.Input((4, 3), **options), *chain]).to_json())


@pytest.mark.parametrize("kind", CHAINS)
def test_the_numbers_are_those_that_keras_loads(kind: str, tmp_path: Path) -> None:
    config = config_of(CHAINS[kind])
    file, cleaned = tmp_path / "a.weights.h5", tmp_path / "b.weights.h5"
    file.write_bytes(weights_bytes(config, seed=3))
    architecture = Architecture(config)
    wanted = architecture.wanted
    assert len(wanted.saved_as) == len(wanted.variables)

    layout = clean(file, cleaned, wanted.max_bytes, wanted.saved_dtypes, wanted.saved)

    assert layout == "tensors"
    ours, keras_own = architecture.load_tensors(cleaned), architecture.load(file)
    for one, other in zip(ours.tensors, keras_own.tensors, strict=True):
        assert one.numpy().tobytes() == other.numpy().tobytes()


def change_dtype(file: h5py.File, name: str) -> None:
    numbers = file[name][()].astype("float64")
    del file[name]
    file[name] = numbers


def change_name(file: h5py.File, name: str) -> None:
    file.move(name, f"{name}_moved")


def change_shape(file: h5py.File, name: str) -> None:
    numbers = file[name][()].T
    del file[name]
    file[name] = numbers


@pytest.mark.parametrize("change", [change_dtype, change_name, change_shape])
def test_a_file_that_keras_would_not_save_so_is_left_to_keras(change: Any, tmp_path: Path) -> None:
    file, cleaned = tmp_path / "a.weights.h5", tmp_path / "b.weights.h5"
    file.write_bytes(weights_bytes())
    wanted = Architecture(SUM_CONFIG).wanted
    with h5py.File(file, "r+") as opened:
        change(opened, wanted.saved_as[0])

    layout = clean(file, cleaned, wanted.max_bytes, wanted.saved_dtypes, wanted.saved)

    assert layout == "hdf5"
    with h5py.File(cleaned) as opened, h5py.File(file) as source:
        names: list[str] = []
        source.visit(names.append)
        assert sorted(names) == sorted(_names(opened))


def _names(file: h5py.File) -> list[str]:
    names: list[str] = []
    file.visit(names.append)
    return names


@pytest.mark.parametrize(
    "config",
    [
        config_of([layers.Dense(3, dtype="float16")]),
        config_of([layers.Dense(1500), layers.Dense(1500), layers.Dense(1500)]),
        config_of([layers.SpectralNormalization(layers.Dense(3))]),
    ],
    ids=["dtype", "large", "saved twice"],
)
def test_where_the_names_cannot_be_told_keras_loads(config: str) -> None:
    model = build_model(config, random_weights=False)

    assert find_saved_names(model, list_saved_arrays(model)) == ()
