"""A compiled function answers as `tf.function` itself does."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest

from workers.runtime.backend import keras, tf
from workers.runtime.compiled import Compiled

ROWS = np.random.default_rng(1).random((3, 5, 4), np.float32)


def function_of(model: keras.Model) -> tuple[Any, list[Any]]:
    """The function that predicts with a model, and its weights."""
    variables = [*model.trainable_variables, *model.non_trainable_variables]
    trainable = len(model.trainable_variables)
    signature = [
        [tf.TensorSpec(each.shape, each.dtype) for each in variables],
        [tf.TensorSpec((None, 5, 4), "float32")],
    ]

    @tf.function(input_signature=signature)  # type: ignore[untyped-decorator]
    def call(tensors: list[Any], rows: list[Any]) -> list[Any]:
        outputs, _ = model.stateless_call(tensors[:trainable], tensors[trainable:], rows[0], training=False)
        return [outputs, rows[0], outputs]

    return call, [tf.convert_to_tensor(each.value) for each in variables]


@pytest.mark.parametrize(
    "layers",
    [
        [keras.layers.Dense(3, "relu"), keras.layers.BatchNormalization()],
        [keras.layers.LSTM(6, return_sequences=True), keras.layers.Bidirectional(keras.layers.GRU(2))],
        [keras.layers.RandomFlip(), keras.layers.Dropout(0.5), keras.layers.Conv1D(2, 3)],
    ],
    ids=["plain", "loops", "seeds"],
)
def test_it_answers_as_the_function_itself(layers: list[Any]) -> None:
    call, weights = function_of(keras.Sequential([keras.Input((5, 4)), *layers]))
    expected = [output.numpy() for output in call(weights, [ROWS])]

    outputs = Compiled(call)(weights, [tf.constant(ROWS)])

    assert [each.numpy().tobytes() for each in outputs] == [each.tobytes() for each in expected]


def test_it_holds_all_that_it_needs() -> None:
    captured = tf.constant([10.0])
    compiled = Compiled(tf.function(lambda x: [x + captured], input_signature=[tf.TensorSpec((None,), "float32")]))
    gc.collect()

    assert compiled([tf.constant([1.0, 2.0])])[0].numpy().tolist() == [11.0, 12.0]


def test_what_tensorflow_cannot_compute_raises_its_error() -> None:
    signature = [tf.TensorSpec((None,), "int32")]
    compiled = Compiled(tf.function(lambda x: [tf.gather([1.0, 2.0], x)], input_signature=signature))

    with pytest.raises(tf.errors.OpError, match="is not in"):
        compiled([tf.constant([5])])
