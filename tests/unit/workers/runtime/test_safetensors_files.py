"""safetensors go the whole way through a worker: by paths, by PyTorch's names, by number, or refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors.numpy import save

from tests.unit.workers.runtime.weights_samples import assert_answers_alike, load, named, sum_model
from workers.runtime.backend import keras
from workers.runtime.errors import WeightsError
from workers.runtime.weights_file import WeightsFileReader


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [("float32", 1e-6), ("float64", 1e-6), ("float16", 0.1), ("bfloat16", 2.0)]
)
def test_safetensors_are_found_by_the_variables_paths(dtype: str, tolerance: float, reader: WeightsFileReader) -> None:
    model = sum_model()
    widths = np.dtype(dtype) if dtype != "bfloat16" else keras.ops.convert_to_tensor(0, "bfloat16").numpy().dtype
    content = named(model, widths)

    for tensors in (content, {f"sum/{name}": array for name, array in content.items()}):
        assert_answers_alike(load(reader, save(tensors)), model, tolerance)


def test_safetensors_that_are_numbered_are_taken_in_the_order_of_their_numbers(reader: WeightsFileReader) -> None:
    layers = [keras.layers.Dense(2, activation="relu") for _ in range(6)]
    model = keras.Sequential([keras.Input((2,)), *layers])
    model.set_weights([np.random.default_rng(i).normal(size=a.shape) for i, a in enumerate(model.get_weights())])
    tensors = {f"array_{number}": array for number, array in enumerate(model.get_weights())}
    assert len(tensors) > 10

    assert_answers_alike(load(reader, save(tensors), str(model.to_json())), model)


def test_safetensors_named_by_torch_are_transposed(reader: WeightsFileReader) -> None:
    model = sum_model()
    tensors = {}
    for number, layer in enumerate(model.layers):
        kernel, offset = layer.get_weights()
        tensors |= {f"{number}.weight": np.ascontiguousarray(kernel.T), f"{number}.bias": offset}

    assert_answers_alike(load(reader, save(tensors)), model)


def test_safetensors_named_by_torch_come_in_the_order_of_their_numbers(reader: WeightsFileReader) -> None:
    """The file has them by their names as text: `layers.10` before `layers.2`."""
    layers = [keras.layers.Dense(2, activation="tanh") for _ in range(12)]
    model = keras.Sequential([keras.Input((2,)), *layers])
    model.set_weights([np.random.default_rng(i).normal(size=a.shape) for i, a in enumerate(model.get_weights())])
    tensors = {}
    for number, layer in enumerate(layers):
        kernel, offset = layer.get_weights()
        tensors |= {f"layers.{number}.weight": np.ascontiguousarray(kernel.T), f"layers.{number}.bias": offset}

    assert_answers_alike(load(reader, save(tensors), str(model.to_json())), model)


@pytest.mark.parametrize("damage", ["missing", "more", "unknown", "shape", "no numbers", "whole numbers"])
def test_safetensors_of_another_network_are_refused(damage: str, reader: WeightsFileReader) -> None:
    tensors = named(sum_model())
    first = next(iter(tensors))
    changes = {
        "missing": lambda: tensors.pop(first),
        "more": lambda: tensors.update(more=np.zeros(1, np.float32)),
        "unknown": lambda: tensors.update(unknown=tensors.pop(first)),
        "shape": lambda: tensors.update({first: tensors[first].T.copy()}),
        "no numbers": lambda: tensors.update({first: np.full((2, 20), np.nan, np.float32)}),
        "whole numbers": lambda: tensors.update({first: np.ones((2, 20), np.int64)}),
    }
    changes[damage]()

    with pytest.raises(WeightsError, match=r"tensors|has the shape|no numbers|holds int64"):
        load(reader, save(tensors))


@pytest.mark.parametrize("length", [2, 8, 2**20, 2**63])
def test_safetensors_whose_header_lies_are_refused(length: int, reader: WeightsFileReader) -> None:
    whole = save(named(sum_model()))

    with pytest.raises(WeightsError):
        load(reader, length.to_bytes(8, "little") + whole[8:])


def test_safetensors_that_claim_more_than_they_hold_are_refused(reader: WeightsFileReader) -> None:
    header = json.dumps({"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}).encode()

    with pytest.raises(WeightsError):
        load(reader, len(header).to_bytes(8, "little") + header + bytes(100))
