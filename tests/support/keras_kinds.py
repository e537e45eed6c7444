"""Kinds of networks that Keras makes here: how each is made and saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from safetensors.numpy import save

from tests.support.kind import Kind, Sample, answers_of
from tests.support.own_code import imported
from workers.runtime.backend import keras

layers, ops = keras.layers, keras.ops
WORDS = ["cat", "dog", "bird"]
TEXTS = np.array([["the cat and the dog"], ["a bird"], ["nothing known"], ["dog dog dog"]], object)


def file_of(model: keras.Model, suffix: str = ".keras") -> bytes:
    """What Keras saves in a file of this kind."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / f"model{suffix}"
        (model.save_weights if suffix == ".weights.h5" else model.save)(file)
        return file.read_bytes()


def in_archive(model: keras.Model) -> list[bytes]:
    """A `.keras` file."""
    return [file_of(model)]


def in_h5(model: keras.Model) -> list[bytes]:
    """A whole model in `.h5`."""
    return [file_of(model, ".h5")]


def weights_alone(model: keras.Model) -> list[bytes]:
    """The weights, after the architecture with others."""
    return [file_of(keras.models.clone_model(model)), file_of(model, ".weights.h5")]


def in_safetensors(model: keras.Model) -> list[bytes]:
    """The weights by their paths, after the architecture with others."""
    weights = {each.path: np.ascontiguousarray(keras.ops.convert_to_numpy(each)) for each in model.weights}
    return [file_of(keras.models.clone_model(model)), save(weights)]


def kind(
    make: Callable[[], Any],
    rows: Any,
    save: Callable[[Any], list[bytes]] = in_archive,
    saved_as: str = "`.keras`",
    remark: str = "",
    tolerance: float = 2e-5,
) -> Kind:
    """A network that is served as Keras serves it here."""

    def sample() -> Sample:
        keras.utils.set_random_seed(3)
        model = make()
        return Sample(save(model), rows, None if "drawn" in remark else answers_of(model, rows))

    return Kind(sample, saved_as, remark=remark, tolerance=tolerance)


def refused(make: Callable[[], Any], rows: Any, says: str) -> Kind:
    """A network that is refused with these words."""
    return Kind(lambda: Sample(in_archive(make()), rows, None), "`.keras`", says=says)


def own(make: Callable[[], Any], rows: Any) -> Kind:
    """A network of an operator's own code."""
    made = kind(make, rows)

    def sample() -> Sample:
        with imported("team.layers"):
            return made.sample()

    return Kind(sample, "`.keras`, and `PIPELINE_MODULES` on the workers")


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


def quantized(mode: str) -> keras.Model:
    """Dense layers, quantized."""
    model = chain(keras.Input((6,)), layers.Dense(130, "tanh"), layers.Dense(3))
    for layer in model.layers:
        layer.quantize(mode)
    return model


def _with_lora() -> keras.Model:
    model = chain(keras.Input((6,)), layers.Dense(8, "tanh"), layers.Dense(3))
    model.layers[0].enable_lora(2)
    return model


def _used_twice() -> keras.Model:
    inner, given = chain(keras.Input((3,)), layers.Dense(3, "tanh")), keras.Input((4, 3))
    each, first = layers.TimeDistributed(inner)(given), inner(given[:, 0])
    return keras.Model(given, layers.Add()([each, layers.RepeatVector(4)(first)]))


def _lost_by_keras() -> keras.Model:
    inner, given = chain(keras.Input((3,)), layers.Dense(3)), keras.Input((4, 3))
    each = layers.ReLU()(layers.TimeDistributed(inner)(given))
    return keras.Model(given, layers.Add()([each, layers.RepeatVector(4)(inner(given[:, 0]))]))


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


def _registered(name: str) -> Any:
    return keras.saving.get_custom_objects()[f"team>{name}"]


def _subclassed() -> Any:
    model = _registered("Net")(units=5)
    model(_numbers(4))
    return model


KERAS_KINDS = {
    "Dense layers": kind(lambda: chain(keras.Input((3,)), layers.Dense(5, "relu"), layers.Dense(2)), _numbers(3)),
    "convolutions, normalization, pooling": kind(
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
    "words by their numbers, recurrent": kind(
        lambda: chain(
            keras.Input((5,), dtype="int32"),
            layers.Embedding(9, 4, mask_zero=True),
            layers.Bidirectional(layers.LSTM(3)),
            layers.Dense(1),
        ),
        _whole(5),
    ),
    "attention": kind(_attention, _numbers(5, 6)),
    "several inputs and outputs": kind(_several, {"image": _numbers(4, 4, 1), "place": _whole()}),
    "an inner model that is used twice": kind(_used_twice, _numbers(4, 3)),
    "TextVectorization": kind(
        lambda: _looked_up(layers.TextVectorization(vocabulary=WORDS, output_sequence_length=4)), TEXTS
    ),
    "StringLookup": kind(
        lambda: _looked_up(layers.StringLookup(vocabulary=WORDS, output_mode="one_hot")),
        np.array([["cat"], ["x"]], object),
    ),
    "IntegerLookup": kind(
        lambda: chain(keras.Input((2,), dtype="int64"), layers.IntegerLookup(vocabulary=[3, 5, 8])),
        _whole(2).astype(np.int64),
    ),
    "Hashing": kind(lambda: _looked_up(layers.Hashing(7)), np.array([["a"], ["b"]], object)),
    "texts as answers": kind(
        lambda: chain(keras.Input((2,), dtype="int64"), layers.StringLookup(vocabulary=WORDS, invert=True)),
        np.array([[1, 2], [3, 1]], np.int64),
    ),
    "sound as a spectrogram": kind(
        lambda: chain(keras.Input((600, 1)), layers.STFTSpectrogram(frame_length=64, frame_step=32), layers.Dense(2)),
        _numbers(600, 1),
    ),
    "rows of any length": kind(
        lambda: chain(keras.Input((None, 3)), layers.Conv1D(4, 3), layers.GlobalMaxPooling1D(), layers.Dense(2)),
        _numbers(7, 3),
    ),
    "int8": kind(lambda: quantized("int8"), _numbers(6)),
    "int4": kind(lambda: quantized("int4"), _numbers(6)),
    "float8": kind(lambda: quantized("float8"), _numbers(6)),
    "LoRA": kind(_with_lora, _numbers(6)),
    "SpectralNormalization": kind(
        lambda: chain(keras.Input((4,)), layers.SpectralNormalization(layers.Dense(3))), _numbers(4)
    ),
    "float16": kind(lambda: _half("float16"), _numbers(4), tolerance=4e-3),
    "mixed bfloat16": kind(lambda: _half("mixed_bfloat16"), _numbers(4), tolerance=4e-2),
    "a fixed batch size": kind(lambda: chain(keras.Input(batch_shape=(1, 3)), layers.Dense(2)), _numbers(3)),
    "infinite weights, as masks have them": kind(_infinite, _numbers(3)),
    "rows that depend on each other": kind(
        lambda: functional(keras.Input((3,)), lambda x: x - ops.mean(x, axis=0, keepdims=True)),
        _numbers(3),
        remark="Its rows belong together",
    ),
    "dropout that is to stay (`training=True`)": kind(
        lambda: functional(keras.Input((64,)), lambda x: layers.Dropout(0.5)(x, training=True)),
        _numbers(64),
        remark="Its answers are drawn anew each time",
    ),
    "a whole model": kind(_attention, _numbers(5, 6), in_h5, "`.h5`"),
    "weights alone": kind(_attention, _numbers(5, 6), weights_alone, "`.weights.h5`, after the `.keras`"),
    "weights by their paths": kind(_attention, _numbers(5, 6), in_safetensors, "safetensors, after the `.keras`"),
    "bfloat16 by their paths": kind(
        lambda: _half("bfloat16"), _numbers(4), in_safetensors, "safetensors, after the `.keras`", tolerance=4e-2
    ),
    "own layers, registered": own(lambda: chain(keras.Input((4,)), _registered("Scale")()), _numbers(4)),
    "a subclassed model, registered": own(_subclassed, _numbers(4)),
    "a layer without a registered name": refused(_own, _numbers(2), "which is not Keras's own"),
    "Lambda": refused(lambda: chain(keras.Input((2,)), layers.Lambda(lambda x: x * 2)), _numbers(2), "Lambda"),
    "a stateful network": refused(
        lambda: chain(keras.Input(batch_shape=(4, 3, 2)), layers.LSTM(2, stateful=True)), _numbers(3, 2), "is stateful"
    ),
    "sparse inputs": refused(
        lambda: functional(keras.Input((3,), sparse=True), lambda x: layers.Dense(2)(x)), _numbers(3), "no dense array"
    ),
    "another number of rows than was given": refused(
        lambda: functional(keras.Input((4,)), lambda x: ops.reshape(x, (-1, 2))),
        _numbers(4),
        "where each has one answer",
    ),
    "weights that are no numbers (NaN)": refused(_not_a_number, _numbers(3), "no numbers (NaN)"),
    "what takes more memory than a network may": refused(
        lambda: functional(keras.Input((30_000, 2)), lambda x: layers.MultiHeadAttention(1, 2)(x, x)),
        _numbers(2, 2),
        "bytes of memory, more than",
    ),
    "an inner model that Keras itself does not load": refused(
        _lost_by_keras, _numbers(4, 3), "send a .keras file that Keras itself loads"
    ),
}
