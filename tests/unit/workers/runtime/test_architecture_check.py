"""Architectures that attack: code, files, other models and sizes are refused with a reason, and nothing is run."""

from __future__ import annotations

import json
import resource
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.unit.networks import SUM_CONFIG, dense_config
from workers.runtime import architecture_check
from workers.runtime.architecture_check import check_architecture
from workers.runtime.backend import keras
from workers.runtime.engine import Architecture
from workers.runtime.errors import ArchitectureError
from workers.runtime.expanded_calls import expanded_calls
from workers.runtime.models import build_model

NUMBERS = count()
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def sequential(*layers: Any) -> str:
    given = {"module": "keras.layers", "class_name": "InputLayer", "config": {"batch_shape": [None, 2], "name": "in"}}
    return json.dumps(
        {"module": "keras", "class_name": "Sequential", "config": {"name": "evil", "layers": [given, *layers]}}
    )


def layer(name: str, module: str | None = "keras.layers", **config: Any) -> dict[str, Any]:
    return {
        "module": module,
        "class_name": name,
        "config": {"name": f"evil_{next(NUMBERS)}", **config},
        "registered_name": None,
    }


def function(module: str, name: str, registered: str | None = "function") -> dict[str, Any]:
    return {"module": module, "class_name": "function", "config": name, "registered_name": registered}


def policy(name: str, mode: str, **config: Any) -> dict[str, Any]:
    return layer(name, "keras.dtype_policies") | {"config": {"mode": mode, "source_name": "float32", **config}}


def dense(**config: Any) -> dict[str, Any]:
    return layer("Dense", **{"units": 3, **config})


CODE = {"class_name": "__lambda__", "config": {"value": "4wEAAAA=", "defaults": None, "closure": None}}
EVIL = {
    "CVE-2025-1550: any module's function": layer("Lambda", function=function("os", "system"), arguments={}),
    "CVE-2025-1550: in an activation": dense(activation=function("os", "system")),
    "CVE-2025-1550: any module's class": layer("Popen", module="subprocess", args=["touch", "canary"]),
    "CVE-2025-8747: a file fetched by Keras": layer("Lambda", function=function("keras.utils", "get_file")),
    "CVE-2025-8747: in an activation": dense(activation=function("keras.utils", "get_file")),
    "CVE-2025-8747: through keras.src": dense(activation=function("keras.src.utils.file_utils", "get_file")),
    "CVE-2025-9906: safe mode switched off": dense(
        activation=function("keras.config", "enable_unsafe_deserialization")
    ),
    "CVE-2025-9906: by its global": dense(
        activation=function("keras.src.backend.common.global_state", "set_global_attribute")
    ),
    "CVE-2025-9906: another model loaded": dense(activation=function("keras.models", "load_model")),
    "CVE-2025-9905: a Lambda layer with code": layer("Lambda", function=CODE),
    "code for an activation": dense(activation=CODE),
    "code for an initializer": dense(kernel_initializer=CODE),
    "code within a wrapper": layer("TimeDistributed", layer=layer("Lambda", function=CODE)),
    "a TensorFlow model": layer("TFSMLayer", filepath="/tmp/model"),
    "a PyTorch module": layer("TorchModuleWrapper", module="x"),
    "a JAX layer": layer("JaxLayer", call_fn=CODE),
    "a Flax layer": layer("FlaxLayer", module="x"),
    "a vocabulary from a file": layer("StringLookup", vocabulary="/etc/passwd"),
    "whole numbers from a file": layer("IntegerLookup", vocabulary="/etc/passwd"),
    "text from a file": layer("TextVectorization", vocabulary="/etc/passwd"),
    "a type of TensorFlow": dense(units={"class_name": "__typespec__", "config": []}),
    "an operation that takes a function": layer("Map", module="keras.src.ops.core", function=CODE),
    "a function named as a class": layer("deserialize", module="keras.initializers"),
    "a class that is not Keras's": layer("Evil", registered_name="Custom>Evil"),
    "a class with dots": layer("layers.Lambda", module="keras"),
    "a module with a longer name": layer("Dense", module="keras.layers.core"),
    "a layer of no module": layer("Dense", module=None),
    "an array of objects": dense(units={"class_name": "__numpy__", "config": {"value": [], "dtype": "O"}}),
    "an array of long texts": dense(units={"class_name": "__numpy__", "config": {"value": "", "dtype": "S999999999"}}),
    "a class that is no name": layer(["Dense"]),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("evil", EVIL.values(), ids=EVIL)
def test_an_architecture_of_more_than_plain_layers_is_refused(evil: dict[str, Any]) -> None:
    with pytest.raises(ArchitectureError, match="the architecture"):
        check_architecture(sequential(evil))


def test_a_custom_class_that_calls_itself_a_keras_layer_is_refused() -> None:
    evil = dense() | {"registered_name": "Custom>Evil"}

    with pytest.raises(ArchitectureError, match="Custom>Evil"):
        check_architecture(sequential(evil))


def test_a_lambda_with_real_code_does_not_run(tmp_path: Path) -> None:
    canary = str(tmp_path / "canary")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda rows: (open(canary, "w"), rows)[1])])  # noqa: PTH123, SIM115
    Path(canary).unlink()

    with pytest.raises(ArchitectureError, match=r"keras\.layers\.Lambda, which is not among the layers"):
        build_model(str(model.to_json()))
    assert not Path(canary).exists()


def test_a_function_that_is_named_for_a_call_does_not_run(tmp_path: Path) -> None:
    evil = layer("Lambda", function=function("os", "system"), arguments={"command": f"touch {tmp_path}/canary"})

    with pytest.raises(ArchitectureError):
        build_model(sequential(evil | {"inbound_nodes": [{"args": [f"touch {tmp_path}/canary"], "kwargs": {}}]}))
    assert not (tmp_path / "canary").exists()


def test_how_a_model_was_compiled_is_not_looked_at_and_not_built() -> None:
    inner = json.loads(dense_config(3, 3)) | {"compile_config": {"optimizer": {"module": "os", "config": {}}}}
    described = json.loads(sequential()) | {"compile_config": {"loss": CODE["config"]}}
    described["config"]["layers"].append(inner)

    assert "compile_config" not in check_architecture(json.dumps(described))


@pytest.mark.parametrize(
    "config",
    ["", "[]", "5", "null", "{}", "[" * 100_000, '{"class_name": "Dense"}', '{"class_name": ["Sequential"]}'],
    ids=range(8),
)
def test_what_is_no_model_is_refused(config: str) -> None:
    with pytest.raises(ArchitectureError):
        check_architecture(config)


def test_an_architecture_that_is_too_deep_long_or_rich_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    deep: Any = 1
    for _ in range(architecture_check.MAX_DEPTH + 1):
        deep = [deep]
    with pytest.raises(ArchitectureError, match="nested more than"):
        check_architecture(sequential(dense(units=deep)))
    with pytest.raises(ArchitectureError, match="nested more than"):
        check_architecture(sequential(dense() | {"build_config": deep}))
    with pytest.raises(ArchitectureError, match="longer than"):
        check_architecture(SUM_CONFIG + " " * architecture_check.MAX_FILLED_BYTES)
    monkeypatch.setattr(architecture_check, "MAX_OBJECTS", 10)
    with pytest.raises(ArchitectureError, match="more than 10 layers"):
        check_architecture(SUM_CONFIG)


def test_sequential_models_that_keras_would_build_for_minutes_are_refused() -> None:
    assert check_architecture(sequential(*[dense()] * 250))
    inner = json.loads(sequential(*[dense()] * 150))
    for config in (sequential(*[dense()] * 300), sequential(*[inner] * 5)):
        with pytest.raises(ArchitectureError, match="more layers than Keras builds in good time"):
            check_architecture(config)


def nested(depth: int) -> keras.Model:
    """Each level calls the one below three times."""
    given = keras.Input((1,))
    model = keras.Model(given, keras.layers.Identity()(given))
    for _ in range(depth):
        outer = given = keras.Input((1,))
        for _ in range(3):
            outer = model(outer)
        model = keras.Model(given, outer)
    return model


def test_nested_models_that_multiply_their_calls_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    config = nested(4).to_json()
    assert check_architecture(config)

    monkeypatch.setattr(architecture_check, "MAX_CALLS", 200)
    for each in (config, sequential(layer("TimeDistributed", layer=json.loads(config)))):
        with pytest.raises(ArchitectureError, match="nested models call layers more than 200 times"):
            check_architecture(each)


def test_calls_are_counted_through_nested_models() -> None:
    inner = json.loads(sequential(dense(), dense(), dense()))
    called = inner | {"inbound_nodes": [{}, {}, {}]}
    outer = {"class_name": "Functional", "config": {"layers": [called, dense()]}}

    assert expanded_calls(inner) == 8
    assert expanded_calls(outer) == 3 * 8 + 1
    assert expanded_calls(json.loads(nested(2).to_json())) == 22


def test_a_large_published_network_is_served_in_a_nested_one_too() -> None:
    published = keras.applications.EfficientNetV2L(weights=None)
    model = keras.Sequential([keras.Input((480, 480, 3)), published, keras.layers.Dense(3)])

    assert check_architecture(published.to_json())
    assert check_architecture(model.to_json())


def test_a_loop_over_time_is_not_unrolled_and_computes_the_same() -> None:
    inputs = keras.Input((40, 3))
    unrolled = keras.Model(inputs, keras.layers.LSTM(4, unroll=True, name="loop")(inputs))
    built = build_model(unrolled.to_json())
    built.set_weights(unrolled.get_weights())
    rows = keras.random.normal((5, 40, 3), seed=1)

    assert built.get_layer("loop").unroll is False
    assert abs(keras.ops.convert_to_numpy(built(rows) - unrolled(rows))).max() < 1e-6


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


HUGE = 1 << 26
BOMBS = {
    "CVE-2026-0897: terabytes of kernel": sequential(dense(units=HUGE), dense(units=HUGE)),
    "a table": sequential(layer("Embedding", input_dim=HUGE, output_dim=HUGE)),
    "recurrent": sequential(layer("Reshape", target_shape=[2, 1]), layer("LSTM", units=HUGE)),
    "orthogonal": sequential(dense(units=HUGE), dense(units=HUGE, kernel_initializer="orthogonal")),
    "no variables at all": sequential(layer("RepeatVector", n=1 << 40)),
    "padding": sequential(layer("Reshape", target_shape=[2, 1]), layer("ZeroPadding1D", padding=1 << 40)),
    "more than numbers go": sequential(dense(units=1 << 62)),
    "int4": sequential(
        layer("Embedding", input_dim=2, output_dim=1 << 33, dtype=policy("Int4DTypePolicy", "int4/128"))
    ),
    "int8": sequential(dense(units=HUGE), dense(units=HUGE, dtype="int8_from_float32")),
    "LoRA": sequential(dense(lora_rank=1 << 40)),
    "a history": sequential(dense(dtype=policy("QuantizedFloat8DTypePolicy", "float8", amax_history_length=1 << 40))),
    "within a model": sequential(json.loads(sequential(layer("RepeatVector", n=1 << 40)))),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_network_that_asks_for_terabytes_is_refused_before_it_has_them(bomb: str) -> None:
    before = peak_bytes()

    with pytest.raises(
        ArchitectureError, match=r"bytes of memory|Keras cannot build .*(int64|too large|overflow|2147483647)"
    ):
        Architecture(bomb)

    assert peak_bytes() - before < 64 * 1024**2


def test_what_was_refused_does_not_come_into_being_later() -> None:
    before = peak_bytes()
    with pytest.raises(ArchitectureError, match="bytes of memory"):
        build_model(BOMBS["CVE-2026-0897: terabytes of kernel"])

    build_model(SUM_CONFIG)
    with keras.StatelessScope():
        pass

    assert peak_bytes() - before < 64 * 1024**2


def test_the_limit_is_the_callers() -> None:
    with pytest.raises(ArchitectureError, match="more than the 2000 allowed"):
        build_model(SUM_CONFIG, 2000)
    assert build_model(SUM_CONFIG, 4000).count_params() == 501


def kinds() -> dict[str, Any]:
    """Models of most kinds of layers, as Keras itself describes them."""
    image, text = keras.Input((8, 8, 3)), keras.Input((5,), dtype="int32")
    table = keras.layers.Embedding(10, 4)(text)
    convolved = keras.layers.BatchNormalization()(keras.layers.Conv2D(4, 3, activation="relu")(image))
    attended = keras.layers.MultiHeadAttention(2, 4)(table, table)
    return {
        "operators": keras.Model(image, keras.ops.mean((image * 2 + 1)[:, 1:, :, 0], axis=1)),
        "convolution": keras.Model(image, keras.layers.GlobalAveragePooling2D()(convolved)),
        "attention": keras.Model(text, keras.layers.LayerNormalization()(attended + table)),
        "recurrent": keras.Model(text, keras.layers.Bidirectional(keras.layers.LSTM(3))(table)),
        "cells": keras.Model(text, keras.layers.RNN([keras.layers.GRUCell(3), keras.layers.LSTMCell(2)])(table)),
        "wrapped": keras.Model(text, keras.layers.TimeDistributed(keras.layers.Dense(2))(table)),
        "normalized": keras.Model(image, keras.layers.Normalization(mean=[1, 2, 3], variance=[1, 1, 1])(image)),
        "restrained": keras.Model(
            image, keras.layers.Dense(2, kernel_regularizer="l2", kernel_constraint="max_norm")(image)
        ),
        "activated": keras.Model(image, keras.layers.Activation(keras.activations.gelu)(image)),
        "augmented": keras.Model(image, keras.layers.RandomFlip()(keras.layers.Rescaling(1 / 255)(image))),
        "mixed": keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, dtype="mixed_bfloat16")]),
        "seeded": keras.Sequential(
            [keras.Input((2,)), keras.layers.Dense(2, kernel_initializer=keras.initializers.HeNormal(seed=1))]
        ),
    }


@pytest.mark.parametrize(("name", "model"), kinds().items(), ids=kinds())
def test_models_of_plain_layers_are_built(name: str, model: keras.Model) -> None:
    built = build_model(str(model.to_json()))

    assert [tuple(variable.shape) for variable in built.variables] == [tuple(v.shape) for v in model.variables]
