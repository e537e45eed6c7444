"""A network of many bytes, and what Keras itself computes with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGE_NN_ID = "f00d" * 8
#: A row that the network takes, and how many numbers it has.
INPUTS = 2


def save_large_network(file: Path, megabytes: int) -> NDArray[Any]:
    """Write a `.keras` archive of about so many megabytes (millions of bytes); returns its outputs for `rows()`."""
    from workers.runtime.backend import keras

    width = round((megabytes * 1e6 / 4) ** 0.5)
    layers = [keras.layers.Dense(width, activation="relu"), keras.layers.Dense(width, activation="relu")]
    model = keras.Sequential([keras.Input((INPUTS,)), *layers, keras.layers.Dense(1)])
    model.save(file)
    outputs: NDArray[Any] = np.array(model(rows()))
    return outputs


def rows() -> NDArray[Any]:
    """Some rows that the network takes."""
    return np.random.default_rng(200).random((4, INPUTS)).astype(np.float32)
