"""Networks of half precision answer as Keras does, whatever file their weights come in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ml_dtypes import bfloat16
from safetensors.numpy import save

from tests.support.archives import tensor, torch_file
from tests.unit.workers.runtime.loaded import assert_answers_alike, load_files, load_saved
from workers.runtime.backend import keras
from workers.runtime.errors import WeightsError
from workers.runtime.weights_file import WeightsFileReader

# Keras makes numpy arrays of its variables in a way that NumPy 2 warns about.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
RANDOM = np.random.default_rng(4)
GIVEN = RANDOM.random((5, 2), np.float32)
#: Two units in the last place of a number of 8 or 11 binary digits.
TOLERANCES = {"bfloat16": 2 * 2.0**-8, "float16": 2 * 2.0**-11}


def half_model(dtype: str) -> keras.Model:
    model = keras.Sequential(
        [keras.Input((2,), dtype=dtype), *(keras.layers.Dense(units, dtype=dtype) for units in (6, 3))]
    )
    model.set_weights([RANDOM.normal(size=each.shape).astype(each.dtype) for each in model.get_weights()])
    return model


def as_safetensors(model: keras.Model) -> bytes:
    return save({each.path: keras.ops.convert_to_numpy(each) for each in model.weights})


def as_torch(model: keras.Model) -> bytes:
    """The state_dict of the same layers in PyTorch."""
    names = [f"{layer}.{kind}" for layer in (0, 2) for kind in ("weight", "bias")]
    state: dict[str, Any] = {}
    storages: dict[str, bytes] = {}
    for number, (name, each) in enumerate(zip(names, model.weights, strict=True)):
        array = np.ascontiguousarray(keras.ops.convert_to_numpy(each).T)
        kind = "BFloat16Storage" if array.dtype == bfloat16 else "HalfStorage"
        strides = (array.shape[1], 1) if array.ndim == 2 else (1,)
        state[name] = tensor(kind, str(number), array.size, shape=array.shape, strides=strides)
        storages[str(number)] = array.tobytes()
    return torch_file(state, storages)


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("form", ["safetensors", "torch", "keras", "weights"])
def test_a_network_of_half_precision_answers_as_keras_does(
    form: str, dtype: str, reader: WeightsFileReader, tmp_path: Path
) -> None:
    model = half_model(dtype)
    if form in ("safetensors", "torch"):
        content = as_safetensors(model) if form == "safetensors" else as_torch(model)
        loaded = load_files(reader, str(model.to_json()), content)
    else:
        loaded = load_saved(reader, model, form, tmp_path)

    expected = model.predict(GIVEN, verbose=0).astype(np.float32)
    assert_answers_alike(loaded, model, GIVEN, TOLERANCES[dtype], expected)


@pytest.mark.parametrize("dtype", TOLERANCES)
def test_each_number_of_such_a_file_is_kept_bit_for_bit(dtype: str, reader: WeightsFileReader) -> None:
    model = half_model(dtype)

    for content in (as_safetensors(model), as_torch(model)):
        tensors = load_files(reader, str(model.to_json()), content).weights.tensors
        for given, own in zip(tensors, model.weights, strict=True):
            assert given.numpy().tobytes() == keras.ops.convert_to_numpy(own).tobytes()


def test_a_number_that_is_too_large_for_the_network_is_refused(reader: WeightsFileReader) -> None:
    model = half_model("float16")
    named = {each.path: keras.ops.convert_to_numpy(each).astype(np.float32) for each in model.weights}
    first = next(iter(named))
    named[first][0, 0] = 1e6

    with pytest.raises(WeightsError, match=rf"{first} holds a number that is too large for float16"):
        load_files(reader, str(model.to_json()), save(named))
