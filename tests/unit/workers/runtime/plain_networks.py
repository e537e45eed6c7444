"""Small networks of one input for tests, loaded with weights that are all ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.runtime.backend import keras, tf
from workers.runtime.engine import Architecture, Weights
from workers.runtime.models import DEFAULT_MAX_BYTES

layers = keras.layers


def model_of(shape: tuple[int | None, ...], *made: Any) -> keras.Model:
    return keras.Sequential([keras.Input(shape), *made])


def attention(length: int | None) -> keras.Model:
    given = keras.Input((length, 4))
    return keras.Model(given, layers.GlobalAveragePooling1D()(layers.MultiHeadAttention(2, 3)(given, given)))


def loaded(model: keras.Model, max_bytes: int = DEFAULT_MAX_BYTES) -> tuple[Architecture, Weights]:
    architecture = Architecture(model.to_json(), max_bytes)
    return architecture, architecture._make_weights([tf.ones(each.shape, each.dtype) for each in model.variables])


def answered(model: keras.Model, rows: NDArray[Any]) -> NDArray[Any]:
    for each in model.variables:
        each.assign(tf.ones(each.shape, each.dtype))
    made: NDArray[Any] = np.asarray(model(rows, training=False))
    return made
