"""Networks of one architecture: loading what fits, refusing what does not, and answers that depend on nothing else."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.unit.networks import SUM_CONFIG, dense_config, first_array, rows, sum_architecture, write_weights
from workers.runtime.backend import keras
from workers.runtime.engine import Architecture, Weights
from workers.runtime.errors import ArchitectureError, RowsError, WeightsError
from workers.runtime.models import build_model

# Keras makes numpy arrays of its variables in a way that NumPy 2 warns about.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


@pytest.fixture(scope="module")
def architecture() -> Architecture:
    return sum_architecture()


def keras_answers(weights_file: Path, given: NDArray[Any]) -> NDArray[Any]:
    """What Keras itself answers, one row at a time, in 64 bits."""
    model = build_model(SUM_CONFIG)
    model.load_weights(weights_file)
    outputs = given.astype(np.float64)
    for layer, last in zip(model.layers, (False, False, True), strict=True):
        kernel, bias = (array.astype(np.float64) for array in layer.get_weights())
        outputs = outputs @ kernel + bias
        if not last:
            outputs = np.maximum(outputs, 0)
    return outputs


def test_the_answers_are_those_of_the_weights(architecture: Architecture, tmp_path: Path) -> None:
    file = write_weights(tmp_path)
    given = np.random.default_rng(5).random((50, 2), np.float32)

    outputs = architecture.predict_rows(architecture.load(file), given)

    assert (outputs.shape, outputs.dtype) == ((50, 1), np.float32)
    np.testing.assert_allclose(outputs, keras_answers(file, given), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("config", [SUM_CONFIG, dense_config(2, 3, hidden=300)], ids=["sum", "wide"])
def test_a_row_is_answered_alike_alone_and_in_every_batch(config: str, tmp_path: Path) -> None:
    architecture = Architecture(config)
    weights = architecture.load(write_weights(tmp_path, config))
    given = np.random.default_rng(7).random((300, 2), np.float32)
    alone = np.concatenate(
        [architecture.predict_rows(weights, given[index : index + 1]) for index in range(len(given))]
    )

    for size in (2, 3, 4, 5, 7, 8, 9, 16, 31, 64, 100, 255, 300):
        for first in range(0, len(given) - size + 1, size):
            batch = architecture.predict_rows(weights, given[first : first + size])
            # On processors without AVX-512 a row's place in its batch decides about the last bits of a sum.
            np.testing.assert_allclose(batch, alone[first : first + size], 1e-5, 1e-5, err_msg=f"{size} from {first}")


def test_two_versions_answer_at_the_same_time(architecture: Architecture, tmp_path: Path) -> None:
    given = np.random.default_rng(3).random((4, 2), np.float32)
    versions = [architecture.load(write_weights(tmp_path, seed=seed)) for seed in (1, 2)]
    wanted = [architecture.predict_rows(version, given).tolist() for version in versions]
    assert wanted[0] != wanted[1]
    mistakes: list[int] = []

    def call(index: int) -> None:
        mistakes.extend(
            index for _ in range(100) if architecture.predict_rows(versions[index], given).tolist() != wanted[index]
        )

    threads = [threading.Thread(target=call, args=(index % 2,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert mistakes == []


def test_loading_changes_no_version_that_is_loaded(architecture: Architecture, tmp_path: Path) -> None:
    first = architecture.load(write_weights(tmp_path, seed=1))
    before = architecture.predict_rows(first, rows((0.1, 0.2))).tolist()

    architecture.load(write_weights(tmp_path, seed=2))
    with pytest.raises(WeightsError):
        architecture.load(write_weights(tmp_path, dense_config(), seed=3))

    assert architecture.predict_rows(first, rows((0.1, 0.2))).tolist() == before


def test_what_a_failed_load_left_does_not_show_in_the_next(architecture: Architecture, tmp_path: Path) -> None:
    good = write_weights(tmp_path, seed=1)
    wanted = architecture.predict_rows(architecture.load(good), rows((0.1, 0.2))).tolist()
    with pytest.raises(WeightsError):
        architecture.load(damaged(tmp_path, lambda array: array.__setitem__(..., np.nan)))

    assert architecture.predict_rows(architecture.load(good), rows((0.1, 0.2))).tolist() == wanted


def damaged(folder: Path, damage: Callable[[Any], None], seed: int = 9) -> Path:
    """A weights file of which one array was changed."""
    file = write_weights(folder, seed=seed)
    with h5py.File(file, "r+") as opened:
        damage(first_array(opened))
    return file


def test_weights_that_are_no_numbers_are_refused(architecture: Architecture, tmp_path: Path) -> None:
    def put_in(array: Any) -> None:
        array[(0,) * array.ndim] = np.nan

    with pytest.raises(WeightsError, match=r"holds values that are no numbers \(NaN\)"):
        architecture.load(damaged(tmp_path, put_in))


@pytest.mark.parametrize(
    "other", [dense_config(), dense_config(3, 1), dense_config(2, 1, hidden=20)], ids=["all", "input", "fewer layers"]
)
def test_weights_of_another_shape_are_refused(other: str, architecture: Architecture, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="do not fit the architecture"):
        architecture.load(write_weights(tmp_path, other))


def test_a_file_that_is_none_is_refused(architecture: Architecture, tmp_path: Path) -> None:
    (tmp_path / "bad.weights.h5").write_bytes(b"bad")

    with pytest.raises(WeightsError):
        architecture.load(tmp_path / "bad.weights.h5")


def test_an_array_that_is_missing_is_refused(architecture: Architecture, tmp_path: Path) -> None:
    file = write_weights(tmp_path)
    with h5py.File(file, "r+") as opened:
        del opened[first_array(opened).name]

    with pytest.raises(WeightsError):
        architecture.load(file)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    return sum_architecture().load(write_weights(tmp_path_factory.mktemp("weights")))


@pytest.mark.parametrize("shape", [(1, 1), (1, 3), (0, 2), (2, 2, 1), (2,), (1, 0)], ids=str)
def test_rows_of_another_shape_are_refused(
    shape: tuple[int, ...], architecture: Architecture, weights: Weights
) -> None:
    with pytest.raises(RowsError, match=r"takes rows of shape \(2,\)"):
        architecture.predict_rows(weights, np.zeros(shape, np.float32))


@pytest.mark.parametrize("dtype", ["float64", "float16", "int32", "uint8"])
def test_rows_of_another_dtype_are_taken_as_the_networks_own(
    dtype: str, architecture: Architecture, weights: Weights
) -> None:
    given = np.array([[1, 0], [0, 1]])

    outputs = architecture.predict_rows(weights, given.astype(dtype))

    assert outputs.tolist() == architecture.predict_rows(weights, given.astype(np.float32)).tolist()


def test_a_network_of_whole_numbers_answers_the_floats_that_a_gateway_sends(tmp_path: Path) -> None:
    config = str(keras.Sequential([keras.Input((3,), dtype="int32"), keras.layers.Embedding(5, 2)]).to_json())
    architecture = Architecture(config)
    weights = architecture.load(write_weights(tmp_path, config))

    outputs = architecture.predict_rows(weights, rows((0, 1, 4)))

    assert outputs.shape == (1, 3, 2)


def test_a_network_of_rows_of_any_length_takes_them(tmp_path: Path) -> None:
    layers = [keras.Input((None, 2)), keras.layers.GRU(3)]
    config = str(keras.Sequential(layers).to_json())
    architecture = Architecture(config)
    weights = architecture.load(write_weights(tmp_path, config))

    assert [architecture.predict_rows(weights, np.ones((1, length, 2), np.float32)).shape for length in (1, 5)] == [
        (1, 3)
    ] * 2
    with pytest.raises(RowsError):
        architecture.predict_rows(weights, np.ones((1, 5, 3), np.float32))


def test_dropout_and_batch_normalization_answer_as_in_inference(tmp_path: Path) -> None:
    layers = [
        keras.Input((2,)),
        keras.layers.Dense(8),
        keras.layers.BatchNormalization(),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(1),
    ]
    config = str(keras.Sequential(layers).to_json())
    architecture = Architecture(config)
    model = build_model(config)
    file = tmp_path / "own.weights.h5"
    model.save_weights(file)
    given = np.random.default_rng(1).random((5, 2), np.float32)

    weights = architecture.load(file)

    np.testing.assert_allclose(architecture.predict_rows(weights, given), model(given, training=False), atol=1e-6)
    assert architecture.predict_rows(weights, given).tolist() == architecture.predict_rows(weights, given).tolist()


LAMBDA = {
    "module": "keras",
    "class_name": "Sequential",
    "config": {
        "name": "evil",
        "layers": [
            {
                "module": "keras.layers",
                "class_name": "InputLayer",
                "config": {"batch_shape": [None, 2], "dtype": "float32", "name": "input"},
            },
            {
                "module": "keras.layers",
                "class_name": "Lambda",
                "config": {
                    "name": "lambda",
                    "function": {"class_name": "__lambda__", "config": {"code": "4wEAAAA=", "defaults": None}},
                },
            },
        ],
    },
}


@pytest.mark.parametrize(
    "config",
    ["", "not JSON", "[]", "{}", "5", '{"class_name": "Nothing", "config": {}}', json.dumps(LAMBDA)],
    ids=["empty", "text", "list", "object", "number", "unknown class", "lambda"],
)
def test_an_architecture_that_keras_cannot_build_safely_is_refused(config: str) -> None:
    with pytest.raises(ArchitectureError):
        build_model(config)


def test_an_architecture_without_an_input_shape_is_refused() -> None:
    config = str(keras.Sequential([keras.layers.Dense(1)]).to_json())

    with pytest.raises(ArchitectureError, match="inputs of known shape"):
        Architecture(config)


def test_a_layer_that_was_never_built_is_refused_as_an_architecture() -> None:
    described = json.loads(SUM_CONFIG)
    described["config"]["layers"][1]["build_config"] = "Dense"

    with pytest.raises(ArchitectureError, match="weights cannot be saved: 'Dense' object has no attribute 'bias'"):
        Architecture(json.dumps(described))
