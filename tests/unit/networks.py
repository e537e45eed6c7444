"""Small Keras networks and their weights files, as the runtime's tests need them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from workers.runtime.backend import keras
from workers.runtime.engine import Architecture
from workers.runtime.models import build_model, save_weights
from workers.settings import ROOT

SUM_CONFIG = (ROOT / "data" / "sum_network.json").read_text(encoding="utf-8")


def dense_config(inputs: int = 3, outputs: int = 2, hidden: int = 4) -> str:
    """The config of a network of another shape than the sum network's."""
    layers = [
        keras.Input((inputs,)),
        keras.layers.Dense(hidden, activation="relu"),
        keras.layers.Dense(outputs),
    ]
    return str(keras.Sequential(layers).to_json())


def weights_bytes(config: str = SUM_CONFIG, seed: int = 1) -> bytes:
    """A weights file with random values, the same for the same seed."""
    model = build_model(config)
    random = np.random.default_rng(seed)
    model.set_weights([random.normal(size=array.shape).astype(array.dtype) for array in model.get_weights()])
    return save_weights(model)


def write_weights(folder: Path, config: str = SUM_CONFIG, seed: int = 1) -> Path:
    """The same, as a file whose name Keras takes."""
    file = folder / f"{seed}.weights.h5"
    file.write_bytes(weights_bytes(config, seed))
    return file


def first_array(file: h5py.File) -> h5py.Dataset:
    """One of the file's arrays."""
    found: list[h5py.Dataset] = []
    file.visititems(lambda _, item: found.append(item) if isinstance(item, h5py.Dataset) else None)
    return found[0]


@cache
def sum_architecture() -> Architecture:
    """The sum network, compiled once for all tests."""
    return Architecture(SUM_CONFIG)


def rows(*numbers: tuple[float, ...]) -> Any:
    """Rows of float32."""
    return np.array(numbers, np.float32)
