"""Quantized networks and those with LoRA answer as Keras does that has loaded the same file, bit for bit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tests.unit.workers.runtime.loaded import assert_answers_alike, load_files, load_saved
from workers.runtime.backend import keras
from workers.runtime.engine import Architecture
from workers.runtime.errors import ArchitectureError, WeightsError
from workers.runtime.models import save_weights
from workers.runtime.weights_file import WeightsFileReader

# Keras makes numpy arrays of its variables in a way that NumPy 2 warns about.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize` method:UserWarning"),
]
layers, quantizers = keras.layers, keras.quantizers
RANDOM = np.random.default_rng(8)


def random(model: keras.Model) -> keras.Model:
    model.set_weights([RANDOM.normal(0, 0.3, each.shape).astype(each.dtype) for each in model.get_weights()])
    return model


def dense() -> keras.Model:
    """More than the 128 rows of a kernel that int4 has one scale for."""
    return random(keras.Sequential([keras.Input((6,)), layers.Dense(150, "tanh"), layers.Dense(4)]))


def einsum() -> keras.Model:
    spread = layers.EinsumDense("abc,cde->abde", output_shape=(4, 2, 3), bias_axes="de")
    return random(keras.Sequential([keras.Input((4, 6)), spread, layers.Flatten(), layers.Dense(3)]))


def table() -> keras.Model:
    return random(
        keras.Sequential([keras.Input((6,), dtype="int32"), layers.Embedding(50, 8), layers.Flatten(), layers.Dense(2)])
    )


def convolution() -> keras.Model:
    return random(keras.Sequential([keras.Input((5, 5, 2)), layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(2)]))


def quantized(model: keras.Model, mode: str | None = None, config: Any = None) -> keras.Model:
    model.quantize(mode, config=config)
    return model


def with_lora(model: keras.Model, name: str = "kernel") -> keras.Model:
    layer = model.layers[0]
    layer.enable_lora(2)
    added = getattr(layer, f"lora_{name}_b")
    added.assign(RANDOM.normal(0, 0.3, added.shape))
    return model


MODELS: dict[str, Callable[[], keras.Model]] = {
    "int8": lambda: quantized(dense(), "int8"),
    "int8 weights alone": lambda: quantized(
        dense(), config=quantizers.Int8QuantizationConfig(quantizers.AbsMaxQuantizer(axis=0), None)
    ),
    "int4": lambda: quantized(dense(), "int4"),
    "int4 in small blocks": lambda: quantized(dense(), config=quantizers.Int4QuantizationConfig(block_size=4)),
    "int4 by channels": lambda: quantized(dense(), config=quantizers.Int4QuantizationConfig(block_size=None)),
    "float8": lambda: quantized(dense(), "float8"),
    "einsum int8": lambda: quantized(einsum(), "int8"),
    "einsum int4": lambda: quantized(einsum(), "int4"),
    "table int8": lambda: quantized(table(), "int8"),
    "table int4": lambda: quantized(table(), "int4"),
    "LoRA": lambda: with_lora(dense()),
    "LoRA of a convolution": lambda: with_lora(convolution()),
    "LoRA of a table": lambda: with_lora(table(), "embeddings"),
    "LoRA of einsum": lambda: with_lora(einsum()),
    "LoRA on int8": lambda: with_lora(quantized(dense(), "int8")),
    "LoRA on int4": lambda: with_lora(quantized(dense(), "int4")),
}


@pytest.mark.parametrize("kind", ["keras", "weights"])
@pytest.mark.parametrize("name", MODELS)
def test_it_answers_as_keras_that_has_loaded_the_same(
    name: str, kind: str, reader: WeightsFileReader, tmp_path: Path
) -> None:
    model = MODELS[name]()
    given = model.inputs[0]
    shape = (5, *given.shape[1:])
    rows = RANDOM.normal(size=shape).astype("float32") if given.dtype == "float32" else RANDOM.integers(0, 50, shape)

    loaded = load_saved(reader, model, kind, tmp_path)
    keras_own = keras.models.load_model(tmp_path / "model.keras")

    assert_answers_alike(loaded, keras_own, rows)
    ours = {
        each.path: tensor for each, tensor in zip(loaded.architecture._variables, loaded.weights.tensors, strict=True)
    }
    for variable in keras_own.weights:
        assert ours[variable.path].numpy().tobytes() == keras.ops.convert_to_numpy(variable).tobytes(), variable.path


POLICIES = ("bfloat16", "mixed_bfloat16", "float16")
#: Keras refuses int8 in float16.
HALVES = [(mode, policy) for mode in ("int8", "int4", "float8", "LoRA") for policy in POLICIES]


@pytest.mark.parametrize(("mode", "policy"), [each for each in HALVES if each != ("int8", "float16")])
def test_so_it_does_in_half_precision(mode: str, policy: str, reader: WeightsFileReader, tmp_path: Path) -> None:
    chain = [layers.Dense(30, "tanh", dtype=policy), layers.Dense(4, dtype=policy)]
    model = random(keras.Sequential([keras.Input((6,)), *chain]))
    model = with_lora(model) if mode == "LoRA" else quantized(model, mode)
    rows = RANDOM.normal(size=(5, 6)).astype(np.float32)

    loaded = load_saved(reader, model, "keras", tmp_path)

    # Called without being compiled, Keras rounds each step to half precision.
    expected = keras.models.load_model(tmp_path / "model.keras").predict(rows, verbose=0).astype(np.float32)
    assert_answers_alike(loaded, model, rows, 2 * 2.0 ** (-11 if policy == "float16" else -8), expected)


def test_floats_in_place_of_the_whole_numbers_of_a_kernel_are_refused(
    reader: WeightsFileReader, tmp_path: Path
) -> None:
    """Keras would cut them off to whole ones, and answer."""
    model = MODELS["int8"]()
    file = tmp_path / "a.weights.h5"
    file.write_bytes(save_weights(model))
    with h5py.File(file, "r+") as opened:
        kernel = opened["layers/dense/vars/0"][()]
        assert kernel.dtype == np.int8
        del opened["layers/dense/vars/0"]
        opened["layers/dense/vars/0"] = kernel / np.float32(127)

    with pytest.raises(WeightsError, match="holds 1 arrays of int8, the architecture has 2"):
        load_files(reader, str(model.to_json()), file.read_bytes())


def test_a_network_that_was_not_quantized_does_not_fit_one_that_is(reader: WeightsFileReader) -> None:
    with pytest.raises(WeightsError, match="the file holds 4 arrays, the architecture has 6"):
        load_files(reader, str(MODELS["int8"]().to_json()), save_weights(dense()))


@pytest.mark.parametrize("mode", ["gptq/4/128", "awq/4/128"])
def test_quantizations_that_are_calibrated_are_refused(mode: str) -> None:
    described = json.loads(dense().to_json())
    described["config"]["layers"][1]["config"]["dtype"] = f"{mode}_from_float32"

    with pytest.raises(ArchitectureError, match=f"quantized by {mode[:3]}.*: only int8, int4 and float8 are"):
        Architecture(json.dumps(described))


def test_what_calibrates_a_quantization_is_refused() -> None:
    described = json.loads(dense().to_json())
    described["config"]["layers"][1]["config"]["quantization_config"] = {
        "module": "keras.quantizers",
        "class_name": "GPTQConfig",
        "config": {"dataset": ["a"], "tokenizer": {"module": "os", "class_name": "function", "config": "system"}},
        "registered_name": None,
    }

    with pytest.raises(ArchitectureError, match=r"keras\.quantizers\.GPTQConfig, which is not among"):
        Architecture(json.dumps(described))
