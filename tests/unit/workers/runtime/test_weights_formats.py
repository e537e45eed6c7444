"""Weights in each format go the whole way through a worker: fetched, read by a real helper, loaded, answering."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from safetensors.numpy import save

from tests.support.archives import Changed, Global, archive, tensor, torch_file
from tests.unit.networks import SUM_CONFIG, weights_bytes
from tests.unit.samples import NN_ID
from workers.messages.protocol import VersionRef
from workers.runtime.backend import keras
from workers.runtime.errors import WeightsError
from workers.runtime.keras_archive import read_architecture
from workers.runtime.loading import LoadedVersion
from workers.runtime.models import build_model
from workers.runtime.networks import Networks
from workers.runtime.weights_file import WeightsFileReader
from workers.settings import ROOT

# Keras makes numpy arrays of its variables in a way that NumPy 2 warns about.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
GIVEN = np.random.default_rng(1).random((4, 2), np.float32)
TORCH_FILES = sorted((ROOT / "tests" / "data").glob("*.pt"))


def load(reader: WeightsFileReader, weights: bytes, config: str = SUM_CONFIG) -> LoadedVersion:
    files = {hashlib.sha256(content).hexdigest(): content for content in (config.encode(), weights)}
    architecture, digest = files

    def fetch(name: str, target: Path) -> None:
        target.write_bytes(files[name])

    return Networks(fetch, reader, 1024**3).acquire(VersionRef(NN_ID, 1, digest, architecture))


def sum_model(seed: int = 3) -> keras.Model:
    model = build_model(SUM_CONFIG)
    random = np.random.default_rng(seed)
    model.set_weights([random.normal(size=array.shape).astype(np.float32) for array in model.get_weights()])
    return model


def assert_answers_alike(loaded: LoadedVersion, model: Any, tolerance: float = 1e-6) -> None:
    np.testing.assert_allclose(
        loaded.predict_rows(GIVEN), np.asarray(model(GIVEN, training=False)), rtol=0, atol=tolerance
    )


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


def named(model: keras.Model, dtype: Any = np.float32) -> dict[str, Any]:
    return {variable.path: variable.numpy().astype(dtype) for variable in model.weights}


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [("float32", 1e-6), ("float64", 1e-6), ("float16", 0.1), ("bfloat16", 2.0)]
)
def test_safetensors_are_found_by_the_variables_paths(dtype: str, tolerance: float, reader: WeightsFileReader) -> None:
    model = sum_model()
    widths = np.dtype(dtype) if dtype != "bfloat16" else keras.ops.convert_to_tensor(0, "bfloat16").numpy().dtype
    content = named(model, widths)

    for tensors in (content, {f"sum/{name}": array for name, array in content.items()}):
        assert_answers_alike(load(reader, save(tensors)), model, tolerance)


def test_a_functional_chain_takes_a_torch_file(reader: WeightsFileReader) -> None:
    given = keras.Input((2,))
    hidden = keras.layers.Dense(20, activation="relu")(given)
    output = keras.layers.Dense(1)(keras.layers.ReLU()(keras.layers.Dense(20)(hidden)))
    config = str(keras.Model(given, output).to_json())
    path = TORCH_FILES[0]

    wanted = load(reader, path.read_bytes()).predict_rows(GIVEN)

    np.testing.assert_allclose(load(reader, path.read_bytes(), config).predict_rows(GIVEN), wanted, atol=1e-6)


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


@pytest.mark.parametrize("length", [2, 8, 2**20, 2**63])
def test_safetensors_whose_header_lies_are_refused(length: int, reader: WeightsFileReader) -> None:
    whole = save(named(sum_model()))

    with pytest.raises(WeightsError):
        load(reader, length.to_bytes(8, "little") + whole[8:])


def test_safetensors_that_claim_more_than_they_hold_are_refused(reader: WeightsFileReader) -> None:
    header = json.dumps({"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}).encode()

    with pytest.raises(WeightsError):
        load(reader, len(header).to_bytes(8, "little") + header + bytes(100))
