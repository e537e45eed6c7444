"""Whatever layer a network has, it answers as Keras does with the same weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workers.runtime.backend import keras
from workers.runtime.engine import Architecture

layers = keras.layers
RANDOM = np.random.default_rng(3)
#: The shape of one row, and a layer that takes it.
LAYERS: dict[str, tuple[tuple[int, ...], Callable[[], Any]]] = {
    "Dense": ((5,), lambda: layers.Dense(3, activation="tanh")),
    "EinsumDense": ((4, 5), lambda: layers.EinsumDense("abc,cd->abd", output_shape=(None, 3), bias_axes="d")),
    "Conv1D": ((8, 3), lambda: layers.Conv1D(4, 3)),
    "Conv2D": ((8, 8, 3), lambda: layers.Conv2D(4, 3, strides=2, padding="same")),
    "Conv3D": ((4, 4, 4, 2), lambda: layers.Conv3D(2, 2)),
    "Conv1DTranspose": ((4, 3), lambda: layers.Conv1DTranspose(2, 3)),
    "Conv2DTranspose": ((4, 4, 3), lambda: layers.Conv2DTranspose(2, 3)),
    "DepthwiseConv2D": ((6, 6, 3), lambda: layers.DepthwiseConv2D(3)),
    "SeparableConv1D": ((8, 3), lambda: layers.SeparableConv1D(4, 3)),
    "SeparableConv2D": ((6, 6, 3), lambda: layers.SeparableConv2D(4, 3)),
    "BatchNormalization": ((6, 4), lambda: layers.BatchNormalization()),
    "LayerNormalization": ((6, 4), lambda: layers.LayerNormalization()),
    "GroupNormalization": ((6, 4), lambda: layers.GroupNormalization(2)),
    "RMSNormalization": ((6, 4), lambda: layers.RMSNormalization()),
    "UnitNormalization": ((6, 4), lambda: layers.UnitNormalization()),
    "Normalization": ((4,), lambda: layers.Normalization()),
    "Normalization of a picture": ((3, 3, 2), lambda: layers.Normalization(axis=-1)),
    "Normalization by all": ((4,), lambda: layers.Normalization(axis=None)),
    "Normalization, known before": ((2,), lambda: layers.Normalization(mean=3.0, variance=2.0)),
    "Normalization inside": ((5, 3), lambda: layers.TimeDistributed(layers.Normalization())),
    "SpectralNormalization": ((5,), lambda: layers.SpectralNormalization(layers.Dense(3))),
    "SimpleRNN": ((6, 3), lambda: layers.SimpleRNN(4)),
    "LSTM": ((6, 3), lambda: layers.LSTM(4, return_sequences=True)),
    "GRU": ((6, 3), lambda: layers.GRU(4)),
    "Bidirectional": ((6, 3), lambda: layers.Bidirectional(layers.LSTM(3))),
    "ConvLSTM1D": ((3, 6, 2), lambda: layers.ConvLSTM1D(2, 3)),
    "PReLU": ((5,), lambda: layers.PReLU()),
    "Dropout": ((5,), lambda: layers.Dropout(0.5)),
    "GaussianNoise": ((5,), lambda: layers.GaussianNoise(1.0)),
    "Rescaling": ((5,), lambda: layers.Rescaling(0.5, offset=1.0)),
    "Discretization": ((5,), lambda: layers.Discretization(bin_boundaries=[-1.0, 0.0, 1.0])),
    "Resizing": ((6, 6, 3), lambda: layers.Resizing(3, 4)),
    "CenterCrop": ((6, 6, 3), lambda: layers.CenterCrop(3, 4)),
    "RandomFlip": ((6, 6, 3), lambda: layers.RandomFlip()),
    "MaxPooling2D": ((6, 6, 3), lambda: layers.MaxPooling2D()),
    "GlobalAveragePooling1D": ((6, 3), lambda: layers.GlobalAveragePooling1D()),
    "UpSampling2D": ((3, 3, 2), lambda: layers.UpSampling2D()),
    "ZeroPadding2D": ((3, 3, 2), lambda: layers.ZeroPadding2D()),
    "Reshape": ((6,), lambda: layers.Reshape((2, 3))),
    "Permute": ((2, 3), lambda: layers.Permute((2, 1))),
    "RepeatVector": ((3,), lambda: layers.RepeatVector(2)),
    "Softmax": ((3,), lambda: layers.Softmax()),
}


@pytest.mark.parametrize("name", LAYERS)
def test_each_layer_answers_as_keras_does_by_two_versions_weights(name: str, tmp_path: Path) -> None:
    row_shape, make = LAYERS[name]
    model = keras.Sequential([keras.Input(row_shape), make()])
    architecture = Architecture(model.to_json())
    rows = RANDOM.normal(size=(3, *row_shape)).astype(np.float32)
    versions = []
    for number in range(2):
        # Positive ones: some are variances.
        model.set_weights([RANDOM.uniform(0.2, 2.0, each.shape).astype(each.dtype) for each in model.get_weights()])
        file = tmp_path / f"{number}.weights.h5"
        model.save_weights(file)
        model.load_weights(file)  # what a layer makes of its weights, it makes when they are loaded
        versions.append((architecture.load(file), np.asarray(model(rows, training=False))))
    for weights, expected in versions:
        assert not weights.rows_belong_together
        assert np.abs(architecture.predict_rows(weights, rows) - expected).max() <= 1e-5


def test_what_an_embedding_looks_up_is_its_versions_own(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((4,), dtype="int32"), layers.Embedding(10, 3)])
    architecture, rows = Architecture(model.to_json()), RANDOM.integers(0, 10, (3, 4)).astype(np.int32)
    model.save_weights(tmp_path / "1.weights.h5")
    weights = architecture.load(tmp_path / "1.weights.h5")

    assert np.array_equal(architecture.predict_rows(weights, rows), np.asarray(model(rows)))


def test_attention_answers_as_keras_does(tmp_path: Path) -> None:
    given = keras.Input((5, 6))
    model = keras.Model(given, layers.MultiHeadAttention(2, 3)(given, given))
    architecture, rows = Architecture(model.to_json()), RANDOM.normal(size=(3, 5, 6)).astype(np.float32)
    model.save_weights(tmp_path / "1.weights.h5")
    weights = architecture.load(tmp_path / "1.weights.h5")

    assert np.abs(architecture.predict_rows(weights, rows) - np.asarray(model(rows))).max() <= 1e-5
