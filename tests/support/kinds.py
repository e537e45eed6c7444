"""Kinds of networks that teams have: how each is made, and whether it is served. `docs/networks.md` has the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from workers.runtime.backend import keras

layers, ops = keras.layers, keras.ops
WORDS = ["cat", "dog", "bird"]
TEXTS = np.array([["the cat and the dog"], ["a bird"], ["nothing known"], ["dog dog dog"]], object)


@dataclass(frozen=True)
class Kind:
    """A network and rows for it; `says` is part of the refusal when it is not served, `remark` of a worker's remark."""

    make: Callable[[], Any]
    rows: Any
    says: str = ""
    remark: str = ""
    tolerance: float = 2e-5


def _numbers(*shape: int) -> Any:
    return np.random.default_rng(1).normal(size=(4, *shape)).astype(np.float32)


def _whole(*shape: int) -> Any:
    return np.random.default_rng(2).integers(0, 9, (4, *shape)).astype(np.int32)


def chain(given: Any, *made: Any) -> keras.Model:
    """A Sequential model."""
    return keras.Sequential([given, *made])


def functional(given: Any, make: Callable[[Any], Any]) -> keras.Model:
    """A functional model of one input."""
    return keras.Model(given, make(given))


def _quantized(mode: str) -> keras.Model:
    model = chain(keras.Input((6,)), layers.Dense(130, "tanh"), layers.Dense(3))
    model.quantize(mode)
    return model


def _with_lora() -> keras.Model:
    model = chain(keras.Input((6,)), layers.Dense(8, "tanh"), layers.Dense(3))
    model.layers[0].enable_lora(2)
    return model


def _used_twice() -> keras.Model:
    inner, given = chain(keras.Input((3,)), layers.Dense(3, "tanh")), keras.Input((4, 3))
    each, first = layers.TimeDistributed(inner)(given), inner(given[:, 0])
    return keras.Model(given, layers.Add()([each, layers.RepeatVector(4)(first)]))


def _infinite() -> keras.Model:
    model = chain(keras.Input((3,)), layers.Dense(3), layers.Softmax())
    kernel, bias = model.layers[0].get_weights()
    bias[1] = -np.inf
    model.layers[0].set_weights([kernel, bias])
    return model


def _not_a_number() -> keras.Model:
    model = chain(keras.Input((3,)), layers.Dense(2))
    model.layers[0].set_weights([np.full((3, 2), np.nan), np.zeros(2)])
    return model


def _several() -> keras.Model:
    image, place = keras.Input((4, 4, 1), name="image"), keras.Input((), dtype="int32", name="place")
    seen = layers.Flatten()(layers.Conv2D(2, 3)(image))
    known = layers.Embedding(9, 3)(place)
    both = layers.Concatenate()([seen, known])
    return keras.Model({"image": image, "place": place}, {"kind": layers.Dense(3)(both), "size": layers.Dense(1)(both)})


def _looked_up(layer: Any) -> keras.Model:
    return chain(keras.Input((1,), dtype="string"), layer)


def _attention() -> keras.Model:
    given = keras.Input((5, 6))
    return keras.Model(given, layers.LayerNormalization()(given + layers.MultiHeadAttention(2, 3)(given, given)))


def _half(dtype: str) -> keras.Model:
    return chain(keras.Input((4,)), layers.Dense(3, dtype=dtype))


def _own() -> Any:
    class Own(layers.Layer):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            return inputs

    return chain(keras.Input((2,)), Own())


KINDS = {
    "Dense layers": Kind(lambda: chain(keras.Input((3,)), layers.Dense(5, "relu"), layers.Dense(2)), _numbers(3)),
    "convolutions, normalization, pooling": Kind(
        lambda: chain(
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, "softmax"),
        ),
        _numbers(8, 8, 3),
    ),
    "words by their numbers, recurrent": Kind(
        lambda: chain(
            keras.Input((5,), dtype="int32"),
            layers.Embedding(9, 4, mask_zero=True),
            layers.Bidirectional(layers.LSTM(3)),
            layers.Dense(1),
        ),
        _whole(5),
    ),
    "attention": Kind(_attention, _numbers(5, 6)),
    "several inputs and outputs": Kind(_several, {"image": _numbers(4, 4, 1), "place": _whole()}),
    "an inner model that is used twice": Kind(_used_twice, _numbers(4, 3)),
    "TextVectorization": Kind(
        lambda: _looked_up(layers.TextVectorization(vocabulary=WORDS, output_sequence_length=4)), TEXTS
    ),
    "StringLookup": Kind(
        lambda: _looked_up(layers.StringLookup(vocabulary=WORDS, output_mode="one_hot")),
        np.array([["cat"], ["x"]], object),
    ),
    "IntegerLookup": Kind(
        lambda: chain(keras.Input((2,), dtype="int64"), layers.IntegerLookup(vocabulary=[3, 5, 8])),
        _whole(2).astype(np.int64),
    ),
    "Hashing": Kind(lambda: _looked_up(layers.Hashing(7)), np.array([["a"], ["b"]], object)),
    "texts as answers": Kind(
        lambda: chain(keras.Input((2,), dtype="int64"), layers.StringLookup(vocabulary=WORDS, invert=True)),
        np.array([[1, 2], [3, 1]], np.int64),
    ),
    "int8": Kind(lambda: _quantized("int8"), _numbers(6)),
    "int4": Kind(lambda: _quantized("int4"), _numbers(6)),
    "float8": Kind(lambda: _quantized("float8"), _numbers(6)),
    "LoRA": Kind(_with_lora, _numbers(6)),
    "SpectralNormalization": Kind(
        lambda: chain(keras.Input((4,)), layers.SpectralNormalization(layers.Dense(3))), _numbers(4)
    ),
    "float16": Kind(lambda: _half("float16"), _numbers(4), tolerance=4e-3),
    "mixed bfloat16": Kind(lambda: _half("mixed_bfloat16"), _numbers(4), tolerance=4e-2),
    "a fixed batch size": Kind(lambda: chain(keras.Input(batch_shape=(1, 3)), layers.Dense(2)), _numbers(3)),
    "infinite weights, as masks have them": Kind(_infinite, _numbers(3)),
    "rows that depend on each other": Kind(
        lambda: functional(keras.Input((3,)), lambda x: x - ops.mean(x, axis=0, keepdims=True)),
        _numbers(3),
        remark="Its rows belong together",
    ),
    "dropout that is to stay (`training=True`)": Kind(
        lambda: functional(keras.Input((64,)), lambda x: layers.Dropout(0.5)(x, training=True)),
        _numbers(64),
        remark="Its answers are drawn anew each time",
    ),
    "a layer without a registered name": Kind(_own, _numbers(2), says="which is not Keras's own"),
    "Lambda": Kind(lambda: chain(keras.Input((2,)), layers.Lambda(lambda x: x * 2)), _numbers(2), says="Lambda"),
    "a stateful network": Kind(
        lambda: chain(keras.Input(batch_shape=(4, 3, 2)), layers.LSTM(2, stateful=True)),
        _numbers(3, 2),
        says="is stateful",
    ),
    "sparse inputs": Kind(
        lambda: functional(keras.Input((3,), sparse=True), lambda x: layers.Dense(2)(x)),
        _numbers(3),
        says="no dense array",
    ),
    "another number of rows than was given": Kind(
        lambda: functional(keras.Input((4,)), lambda x: ops.reshape(x, (-1, 2))),
        _numbers(4),
        says="where each has one answer",
    ),
    "weights that are no numbers (NaN)": Kind(_not_a_number, _numbers(3), says="no numbers (NaN)"),
}


def table() -> str:
    """The kinds as a table in Markdown: whether each is served, and what is said of it, or why it is refused."""
    lines = ["| kind | served | what is said |", "|---|---|---|"]
    for name, kind in KINDS.items():
        said = f"refused: … {kind.says} …" if kind.says else f"remark: {kind.remark} …" if kind.remark else ""
        lines.append(f"| {name} | {'no' if kind.says else 'yes'} | {said} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
