"""Keras models from architectures."""

from __future__ import annotations

import numpy as np

from workers.runtime.backend import keras
from workers.runtime.models import build_model


def test_a_model_without_random_weights_is_all_zeros() -> None:
    cell = keras.layers.Bidirectional(keras.layers.GRU(3))
    inner = keras.Sequential([keras.Input((3, 2)), cell, keras.layers.BatchNormalization()])
    outer = keras.Sequential([keras.Input((3, 2)), inner, keras.layers.Dense(1, kernel_initializer="he_normal")])
    config = str(outer.to_json())

    random, zeros = build_model(config), build_model(config, random_weights=False)

    assert any(np.any(weight) for weight in random.get_weights())
    assert not any(np.any(weight) for weight in zeros.get_weights())
    assert [weight.path for weight in zeros.weights] == [weight.path for weight in random.weights]
