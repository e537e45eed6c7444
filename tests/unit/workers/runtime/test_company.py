"""Rows whose answers depend on one another are found out, and then computed request by request, as Keras does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workers.runtime.backend import keras
from workers.runtime.engine import Architecture, Weights
from workers.runtime.errors import WeightsError
from workers.runtime.row_wise import is_row_wise

layers, ops = keras.layers, keras.ops
# Keras warns of a softmax over a lone row, which is what is tested.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
Made = Callable[[Any], Any]


def load(model: keras.Model, folder: Path) -> tuple[Architecture, Weights]:
    architecture = Architecture(model.to_json())
    model.save_weights(folder / "1.weights.h5")
    return architecture, architecture.load(folder / "1.weights.h5")


def of_two_numbers(make: Made) -> keras.Model:
    given = keras.Input((2,))
    return keras.Model(given, make(layers.Dense(3)(given)))


TOGETHER: dict[str, Made] = {
    "softmax over the rows": lambda x: layers.Softmax(axis=0)(x),
    "less the rows' mean": lambda x: x - ops.mean(x, axis=0, keepdims=True),
    "by the rows' largest": lambda x: x / ops.max(ops.abs(x), axis=0, keepdims=True),
    "sorted rows": lambda x: ops.sort(x, axis=0),
    "one number, sorted": lambda x: ops.sort(layers.Dense(1)(x), axis=0),
    "added up": lambda x: ops.cumsum(x, axis=0),
    "added up from the end": lambda x: ops.flip(ops.cumsum(ops.flip(x, 0), axis=0), 0),
    "the other way round": lambda x: ops.flip(x, axis=0),
    "each less its neighbour": lambda x: x - ops.roll(x, 1, axis=0),
    "less the median": lambda x: x - ops.median(x, axis=0, keepdims=True),
    "normalized over the rows": lambda x: ops.normalize(x, axis=0),
    "a hundredth of the mean": lambda x: x + 0.01 * ops.mean(x, axis=0, keepdims=True),
    "the best row, in whole numbers": lambda x: ops.cast(x >= ops.max(x, axis=0, keepdims=True), "int32"),
    "moved on by four": lambda x: ops.roll(x, 4, axis=0),
    "beside large numbers": lambda x: layers.Concatenate()(
        [
            layers.Dense(1, bias_initializer=keras.initializers.Constant(2e5))(x),
            ops.sigmoid(x - ops.mean(x, axis=0, keepdims=True)),
        ]
    ),
    "beside few digits": lambda x: (
        layers.Rescaling(1.0, dtype="float32")(layers.Dense(3, dtype="mixed_bfloat16")(x))
        + 0.1 * ops.tanh(ops.mean(x, axis=0, keepdims=True))
    ),
    "what only large numbers do": lambda x: x + ops.max(ops.relu(ops.abs(x) - 50.0), axis=0, keepdims=True),
    "in half the digits": lambda x: (
        layers.Activation("linear", dtype="float16")(x) - ops.mean(x, axis=0, keepdims=True)
    ),
}
APART: dict[str, Made] = {
    "softmax": lambda x: layers.Softmax()(x),
    "less each row's mean": lambda x: x - ops.mean(x, axis=-1, keepdims=True),
    "sorted numbers": lambda x: ops.sort(x, axis=-1),
    "no number": lambda x: ops.log(ops.relu(-x) * 0.0 - 1.0),
    "infinite": lambda x: ops.relu(x) / (ops.relu(x) * 0.0),
    "the place of the largest": lambda x: ops.argmax(x, axis=-1, keepdims=True),
    "half": lambda x: layers.Dense(8, dtype="float16")(x),
    "mixed": lambda x: layers.Dense(8, dtype="mixed_bfloat16")(x),
    "six constants": lambda x: x * np.arange(3, dtype=np.float32),
    "wide": lambda x: layers.Dense(1)(layers.Dense(4000, "tanh")(layers.Dense(4000, "tanh")(x))),
}


@pytest.mark.parametrize("name", TOGETHER)
def test_requests_whose_rows_belong_together_are_answered_as_keras_does_each_by_itself(
    name: str, tmp_path: Path
) -> None:
    model = of_two_numbers(TOGETHER[name])
    architecture, weights = load(model, tmp_path)
    rows = np.random.default_rng(2).normal(size=(6, 2)).astype(np.float32)

    assert weights.rows_belong_together
    (answers,) = architecture.predict(weights, {"": rows}, [1, 2, 3]).values()
    for first, last in ((0, 1), (1, 3), (3, 6)):
        expected = np.asarray(model(rows[first:last]))
        np.testing.assert_allclose(answers[first:last], expected, 2e-5, 2e-5)
    alone = architecture.predict_rows(weights, rows[:1])
    np.testing.assert_allclose(alone, np.asarray(model(rows[:1])), 2e-5, 2e-5)


@pytest.mark.parametrize(
    ("make", "known"),
    [
        (lambda x: layers.Dense(3)(layers.BatchNormalization()(x)), True),
        (lambda x: layers.Softmax()(layers.Concatenate()([x, x])), True),
        (lambda x: layers.LSTM(2)(layers.Reshape((3, 1))(x)), True),
        (lambda x: keras.Sequential([keras.Input((3,)), layers.Dense(2)])(x), True),
        (lambda x: layers.Softmax(axis=0)(x), False),
        (lambda x: layers.Softmax(axis=-2)(x), False),
        (lambda x: x - ops.mean(x, axis=0), False),
        (lambda x: layers.TimeDistributed(layers.Softmax(axis=0))(layers.Reshape((3, 1))(x)), False),
        (lambda x: layers.Bidirectional(layers.LSTM(2))(layers.Reshape((3, 1))(x)), True),
        (lambda x: layers.EinsumDense("ab,bc->ac", 2)(x), False),
        (lambda x: layers.Concatenate()([x, np.zeros((2, 3), np.float32)]), False),
        (lambda x: layers.LSTM(2)(layers.Reshape((3, 1))(x), initial_state=[np.zeros((2, 2), np.float32)] * 2), False),
    ],
)
def test_layers_of_which_it_is_known_are_not_tried(make: Made, known: bool) -> None:
    assert is_row_wise(of_two_numbers(make)) is known


def test_rows_of_one_number_are_tried_since_their_last_axis_is_the_rows() -> None:
    numbers = keras.Input(())
    assert not is_row_wise(keras.Model(numbers, layers.Rescaling(2.0)(numbers)))


@pytest.mark.parametrize("name", APART)
def test_rows_that_are_answered_one_by_one_may_share_a_call(name: str, tmp_path: Path) -> None:
    assert not load(of_two_numbers(APART[name]), tmp_path)[1].rows_belong_together


def test_it_is_of_the_version_not_of_the_architecture(tmp_path: Path) -> None:
    given = keras.Input((2,))
    x = layers.Dense(1, use_bias=False)(given)
    model = keras.Model(given, x - ops.mean(x, axis=0, keepdims=True))
    model.set_weights([np.zeros((2, 1))])
    architecture, weights = load(model, tmp_path)
    assert not weights.rows_belong_together
    model.set_weights([np.ones((2, 1))])
    model.save_weights(tmp_path / "2.weights.h5")
    assert architecture.load(tmp_path / "2.weights.h5").rows_belong_together


@pytest.mark.parametrize("known", [2, 3, 10, 1000])
def test_whole_numbers_are_drawn_that_a_small_vocabulary_has(known: int, tmp_path: Path) -> None:
    words = keras.Input((5,), dtype="int32")
    looked_up = layers.Embedding(known, 4)(words)
    assert not load(keras.Model(words, looked_up), tmp_path)[1].rows_belong_together
    together = keras.Model(words, looked_up - ops.mean(looked_up, axis=0, keepdims=True))
    assert load(together, tmp_path)[1].rows_belong_together


def test_a_network_that_takes_no_row_that_can_be_drawn_is_taken_for_one_whose_rows_belong_together(
    tmp_path: Path,
) -> None:
    only_zero = keras.Input((3,), dtype="int32")
    model = keras.Model(only_zero, ops.relu(layers.Embedding(1, 2)(only_zero)))
    architecture, weights = load(model, tmp_path)

    assert weights.rows_belong_together
    assert architecture.predict_rows(weights, np.zeros((2, 3), np.int32)).shape == (2, 3, 2)


def test_several_inputs_and_sizes_that_are_not_fixed(tmp_path: Path) -> None:
    words, scale = keras.Input((None,), dtype="int32"), keras.Input(())
    read = layers.GRU(3)(layers.Embedding(20, 4, mask_zero=True)(words))
    model = keras.Model([words, scale], read * ops.expand_dims(scale, -1))
    assert not load(model, tmp_path)[1].rows_belong_together


@pytest.mark.parametrize("make", [lambda x: ops.reshape(x, (-1, 1)), lambda x: ops.repeat(x, 2, 0)])
def test_a_network_that_does_not_answer_each_row_by_one_is_refused(make: Made, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="rows for 2, where each has one answer"):
        load(of_two_numbers(make), tmp_path)
