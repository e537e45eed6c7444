"""Weights in each format go the whole way through a worker: fetched, read by a real helper, loaded, answering."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from safetensors.numpy import save

from tests.support.archives import Changed, Global, archive, tensor, torch_file
from tests.unit.networks import SUM_CONFIG, weights_bytes
from tests.unit.workers.runtime.weights_samples import GIVEN, assert_answers_alike, load, named, sum_model
from workers.runtime.backend import keras
from workers.runtime.errors import WeightsError
from workers.runtime.keras_archive import read_architecture
from workers.runtime.weights_file import WeightsFileReader
from workers.settings import ROOT

# Keras makes numpy arrays of its variables in a way that NumPy 2 warns about.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
TORCH_FILES = sorted((ROOT / "tests" / "data").glob("*.pt"))


@pytest.mark.parametrize("path", TORCH_FILES, ids=lambda path: path.stem)
def test_a_torch_file_answers_as_torch_does(path: Path, reader: WeightsFileReader) -> None:
    written = json.loads((path.parent / f"{path.stem.rpartition('_')[0]}.json").read_text())

    outputs = load(reader, path.read_bytes()).predict_rows(np.array(written["rows"], np.float32))

    np.testing.assert_allclose(outputs, written["predictions"][path.name], rtol=0, atol=1e-5)


def test_there_are_torch_files_of_two_layouts_and_two_dtypes() -> None:
    assert len(TORCH_FILES) == 4


def chain(*biases: bool, units: int = 3) -> str:
    layers = [keras.layers.Dense(units, use_bias=bias) for bias in biases]
    return str(keras.Sequential([keras.Input((2,)), *layers]).to_json())


def linear(out: int, given: int, key: str = "0") -> Any:
    return tensor(key=key, count=out * given, shape=(out, given), strides=(given, 1))


def bias(out: int, key: str) -> Any:
    return tensor(key=key, count=out, shape=(out,), strides=(1,))


def test_a_torch_layer_without_a_bias_fits_a_dense_layer_without_one(reader: WeightsFileReader) -> None:
    kernels = [np.arange(6, dtype=np.float32), np.arange(9, dtype=np.float32)]
    state = {"a.weight": linear(3, 2), "b.weight": linear(3, 3, "1"), "b.bias": bias(3, "2")}
    storages = {"0": kernels[0].tobytes(), "1": kernels[1].tobytes(), "2": bytes(12)}

    outputs = load(reader, torch_file(state, storages), chain(False, True)).predict_rows(GIVEN)

    np.testing.assert_allclose(outputs, GIVEN @ kernels[0].reshape(3, 2).T @ kernels[1].reshape(3, 3).T, rtol=1e-5)


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({"a.weight": linear(3, 2)}, "holds 1 tensors"),
        ({"a.weight": linear(3, 2), "a.bias": bias(3, "1"), "b.weight": linear(3, 3, "2")}, "holds 3 tensors"),
        ({"a.bias": bias(3, "1"), "b.weight": linear(3, 3, "2")}, r"a\.bias has no a\.weight"),
        ({"a.weight": linear(2, 3), "b.weight": linear(3, 3, "2")}, r"a\.weight has the shape \(3, 2\)"),
        ({"a.weight": linear(3, 2), "a.running_mean": bias(3, "1")}, r"holds 2 tensors.* build the network in Keras"),
    ],
)
def test_a_torch_file_of_another_network_is_refused(state: Any, reason: str, reader: WeightsFileReader) -> None:
    content = torch_file(state, {"0": bytes(24), "1": bytes(12), "2": bytes(36)})

    with pytest.raises(WeightsError, match=reason):
        load(reader, content, chain(False, False))


def test_a_torch_file_for_a_network_that_is_no_chain_of_dense_layers_is_refused(reader: WeightsFileReader) -> None:
    given = keras.Input((2,))
    branches = [keras.layers.Dense(3, use_bias=False)(given) for _ in range(2)]
    config = str(keras.Model(given, keras.layers.Add()(branches)).to_json())
    state = {"a.weight": linear(3, 2), "b.weight": linear(3, 2, "1")}

    with pytest.raises(
        WeightsError, match=r"no plain chain of Dense layers.* build the network in Keras and save it as \.keras"
    ):
        load(reader, torch_file(state, {"0": bytes(24), "1": bytes(24)}), config)


def test_a_torch_pickle_that_calls_os_system_is_refused_and_calls_nothing(
    reader: WeightsFileReader, tmp_path: Path
) -> None:
    with pytest.raises(WeightsError, match=r"the file asks for os\.system"):
        load(reader, torch_file(Global("os", "system")(f"touch {tmp_path}/canary"), {}))
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize(
    ("name", "state"),
    [
        (("torch._utils", "_rebuild_tensor_v2"), (None, {"__defaults__": ({"neg": True},)})),
        (("torch", "HalfStorage"), {"dtype": "bfloat16"}),
    ],
)
def test_a_torch_file_that_is_refused_does_not_change_how_the_next_one_is_read(
    name: tuple[str, str], state: Any, reader: WeightsFileReader
) -> None:
    """One helper reads them all."""
    kernel = np.arange(6, dtype=np.float16)
    weights = tensor("HalfStorage", shape=(3, 2), strides=(2, 1))
    honest = torch_file({"a.weight": weights}, {"0": kernel.tobytes()})
    before = load(reader, honest, chain(False)).predict_rows(GIVEN)
    helpers = [helper.pid for helper in reader._idle]

    with pytest.raises(WeightsError):
        load(reader, torch_file({"x": Changed(Global(*name), state)}, {}), chain(False))
    after = load(reader, honest, chain(False)).predict_rows(GIVEN)

    np.testing.assert_array_equal(before, after)
    np.testing.assert_allclose(after, GIVEN @ kernel.reshape(3, 2).T.astype(np.float32), rtol=1e-5)
    assert [helper.pid for helper in reader._idle] == helpers
    assert len(helpers) == 1


@pytest.mark.parametrize("trained", [False, True])
def test_a_keras_archive_answers_as_the_model(trained: bool, reader: WeightsFileReader, tmp_path: Path) -> None:
    model = sum_model()
    if trained:
        model.compile(optimizer="adam", loss="mse", run_eagerly=True)
        model.train_on_batch(GIVEN, np.ones((4, 1)))
    model.save(tmp_path / "sum.keras")
    content = (tmp_path / "sum.keras").read_bytes()

    assert_answers_alike(load(reader, content, read_architecture(content)), model)


def test_an_archive_whose_weights_are_large_only_unpacked_is_refused(reader: WeightsFileReader) -> None:
    bomb = archive({"config.json": b"{}", "model.weights.h5": bytes(200 * 1024**2)}, 8)
    assert len(bomb) < 1024**2

    with pytest.raises(WeightsError, match=r"model\.weights\.h5 in the archive is larger than"):
        load(reader, bomb)


def test_an_archive_with_a_member_that_leads_out_of_it_is_refused(reader: WeightsFileReader, tmp_path: Path) -> None:
    path = f"../../../../../..{tmp_path}/canary"
    strange = archive({"config.json": SUM_CONFIG.encode(), "model.weights.h5": weights_bytes(), path: b"evil"})

    with pytest.raises(WeightsError, match="leads out of it"):
        load(reader, strange)
    assert not (tmp_path / "canary").exists()


def test_an_archive_that_reads_a_file_of_the_worker_is_refused(reader: WeightsFileReader, tmp_path: Path) -> None:
    """CVE-2026-1669: an external dataset makes a file of the host a weight."""
    (tmp_path / "secret").write_bytes(bytes(8))
    with h5py.File(tmp_path / "weights", "w") as file:
        file.create_dataset("layers/dense/vars/0", (2,), np.float32, external=[(str(tmp_path / "secret"), 0, 8)])
    weights = (tmp_path / "weights").read_bytes()

    for content in (weights, archive({"config.json": SUM_CONFIG.encode(), "model.weights.h5": weights})):
        with pytest.raises(WeightsError, match="keeps its numbers in another file"):
            load(reader, content)


def test_a_functional_chain_takes_a_torch_file(reader: WeightsFileReader) -> None:
    given = keras.Input((2,))
    hidden = keras.layers.Dense(20, activation="relu")(given)
    output = keras.layers.Dense(1)(keras.layers.ReLU()(keras.layers.Dense(20)(hidden)))
    config = str(keras.Model(given, output).to_json())
    path = TORCH_FILES[0]

    wanted = load(reader, path.read_bytes()).predict_rows(GIVEN)

    np.testing.assert_allclose(load(reader, path.read_bytes(), config).predict_rows(GIVEN), wanted, atol=1e-6)


@pytest.mark.parametrize("kind", ["safetensors", "torch"])
def test_layers_that_could_be_swapped_are_refused_with_their_names(kind: str, reader: WeightsFileReader) -> None:
    model = keras.Sequential([keras.Input((2,)), *(keras.layers.Dense(2, use_bias=False) for _ in range(2))])
    names, numbers = ("second", "first"), [np.arange(4, dtype=np.float32) + each for each in range(2)]
    if kind == "safetensors":
        content = save({f"{name}.weight": each.reshape(2, 2) for name, each in zip(names, numbers, strict=True)})
    else:
        state = {
            f"{name}.weight": tensor(key=str(key), count=4, shape=(2, 2), strides=(2, 1))
            for key, name in enumerate(names)
        }
        content = torch_file(state, {str(key): each.tobytes() for key, each in enumerate(numbers)})

    with pytest.raises(WeightsError, match=r"have one shape, and nothing tells which .* Send order="):
        load(reader, content, str(model.to_json()))


def test_one_shard_of_several_is_refused_with_how_to_save_them(reader: WeightsFileReader, tmp_path: Path) -> None:
    model = sum_model()
    model.save_weights(tmp_path / "sum.weights.json", max_shard_size=1.6e-6)
    tensors = named(model)
    del tensors[next(iter(tensors))]
    shards = sorted(tmp_path.glob("*.h5"))
    assert len(shards) > 1

    for shard in [save(tensors), *(path.read_bytes() for path in shards)]:
        with pytest.raises(WeightsError, match=r"the architecture has 6.* save all weights into one"):
            load(reader, shard)
