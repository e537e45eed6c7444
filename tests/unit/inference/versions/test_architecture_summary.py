"""What is read of an architecture without Keras, held against Keras itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from inference.versions.architecture_summary import LAYERS_SHOWN_MAX, ArchitectureSummary, summarize
from workers.runtime.backend import keras
from workers.settings import ROOT

layers = keras.layers


def chain(shape: tuple[int | None, ...], *made: Any) -> Any:
    return keras.Sequential([layers.Input(shape), *made])


def two_inputs() -> Any:
    image, place = layers.Input((8, 8, 3), name="image"), layers.Input((2,), name="place")
    seen = layers.Flatten(name="flat")(layers.Conv2D(4, 3, name="eye")(image))
    return keras.Model([image, place], layers.Dense(5, name="out")(layers.Concatenate(name="both")([seen, place])))


def nested() -> Any:
    return chain((4,), keras.Sequential([layers.Input((4,)), layers.Dense(3)]), layers.Dense(2))


def attention() -> Any:
    words = layers.Input((6, 8))
    looked = layers.MultiHeadAttention(2, 5, value_dim=3)(words, words)
    return keras.Model(words, layers.LayerNormalization()(layers.Add()([words, looked])))


MODELS = {
    "texts": lambda: keras.Sequential(
        [layers.Input((1,), dtype="string"), layers.TextVectorization(vocabulary=["a"]), layers.Embedding(3, 2)]
    ),
    "dense": lambda: chain((7,), layers.Dense(5, use_bias=False), layers.Dropout(0.5), layers.Dense(1)),
    "convolutions": lambda: chain(
        (32, 32, 4), layers.Conv2D(8, 3, groups=2), layers.MaxPooling2D(), layers.BatchNormalization(),
        layers.DepthwiseConv2D(3, depth_multiplier=2), layers.SeparableConv2D(6, 3), layers.Conv2DTranspose(3, 2),
        layers.GlobalAveragePooling2D(),
    ),
    "series": lambda: chain((20, 3), layers.Conv1D(4, 5), layers.PReLU(), layers.LSTM(5)),
    "recurrent": lambda: chain(
        (9, 3), layers.Bidirectional(layers.GRU(4, return_sequences=True)), layers.SimpleRNN(3, return_sequences=True),
        layers.TimeDistributed(layers.Dense(2)), layers.GRU(4, reset_after=False),
    ),
    "words": lambda: chain((10,), layers.Embedding(100, 7), layers.RMSNormalization(), layers.GroupNormalization(7)),
    "two inputs": two_inputs,
    "nested": nested,
    "attention": attention,
}  # fmt: skip


def summary(model: Any) -> ArchitectureSummary:
    made = summarize(model.to_json())
    assert made
    return made


@pytest.mark.parametrize("name", MODELS)
def test_the_parameters_are_those_that_keras_counts(name: str) -> None:
    model = MODELS[name]()

    found = summary(model)

    assert (found.parameters, found.unknown) == (model.count_params(), 0)


def test_the_sum_network_reads_as_its_layers() -> None:
    found = summarize((ROOT / "data" / "sum_network.json").read_text())

    assert found
    assert (found.kind, found.name, found.parameters) == ("Sequential", "sum", 501)
    assert [(layer.name, layer.kind, layer.shape, layer.parameters) for layer in found.layers] == [
        ("numbers", "InputLayer", "2", 0),
        ("hidden_1", "Dense", "20", 60),
        ("hidden_2", "Dense", "20", 420),
        ("sum", "Dense", "1", 21),
    ]
    assert found.layers[1].told == "units 20, activation relu"


def test_the_shapes_between_layers_of_a_graph_are_told() -> None:
    shapes = {layer.name: layer.shape for layer in summary(two_inputs()).layers}

    assert shapes == {
        "image": "8 × 8 × 3", "eye": "6 × 6 × 4", "flat": "144", "place": "2", "both": "146", "out": "5",
    }  # fmt: skip


def test_layers_in_a_nested_model_are_a_step_deeper() -> None:
    assert [(layer.kind, layer.depth) for layer in summary(nested()).layers] == [
        ("InputLayer", 0), ("Sequential", 0), ("InputLayer", 1), ("Dense", 1), ("Dense", 0),
    ]  # fmt: skip


def test_what_is_not_known_is_said() -> None:
    found = summary(chain((4,), layers.Dense(3), layers.SpectralNormalization(layers.Dense(2))))

    assert (found.parameters, found.unknown) == (15, 1)


def test_a_page_shows_a_bounded_number_of_layers() -> None:
    layer = {"class_name": "Flatten", "config": {"name": "x" * 5000}}
    found = summarize(json.dumps({"class_name": "Sequential", "config": {"layers": [layer] * 1000}}))

    assert found
    assert (len(found.layers), found.layers_count, found.left_out) == (LAYERS_SHOWN_MAX, 1000, 1000 - LAYERS_SHOWN_MAX)
    assert len(found.layers[0].name) < 200


@pytest.mark.parametrize(
    "text",
    ["", "5", "[]", "{}", '{"class_name": "Lambda"}', '{"class_name": []}', "[" * 100_000],
)
def test_what_is_no_model_has_no_summary(text: str) -> None:
    assert summarize(text) is None


@pytest.mark.parametrize("odd", [None, 5, 10**500, "text", [], {}, [[]], [None, "a"], {"layers": 3}])
def test_odd_values_anywhere_are_left_out(odd: Any) -> None:
    layer = {"class_name": "Dense", "config": {"units": odd, "name": odd, "activation": odd}, "build_config": odd,
             "inbound_nodes": [{"args": [{"class_name": "__keras_tensor__", "config": odd}]}]}  # fmt: skip
    shaped = {"class_name": odd, "config": {"batch_shape": odd}, "build_config": {"input_shape": odd}}
    for inner in (odd, {"layers": [layer, shaped, odd]}):
        assert summarize(json.dumps({"class_name": "Functional", "config": inner}))
