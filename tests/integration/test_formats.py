"""Files of every format go through a real upload to real workers, and answer as what they were made with does."""

from __future__ import annotations

import json
import pickle
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4
from zipfile import ZipFile

import numpy as np
import pytest
import requests

from tests.support.archives import archive
from tests.support.samples import ARCHITECTURE, samples
from tests.support.system import System
from workers.messages.message import TRACE_CHARACTERS_MAX
from workers.settings import ROOT

DATA = ROOT / "tests" / "data"
ROWS = np.random.default_rng(2).random((20, 2)).astype(np.float32)


def upload(system: System, content: bytes) -> requests.Response:
    files = {"data": ("weights", content, "application/octet-stream")}
    return requests.put(system.url + "/set_weights", data={"nn_id": uuid4().hex}, files=files, timeout=100)


def answers(system: System, rows: object) -> np.ndarray:
    answer = system.post("/predict", {"data": rows}).json()
    assert answer["status"] is True, answer
    return np.array(answer["result"])


either_way = pytest.mark.parametrize("encode", [bytes, b64encode], ids=["raw", "base64"])


@either_way
@pytest.mark.parametrize("made", ["torch_2_0", "torch_2_13"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_state_dict_predicts_what_pytorch_does(
    system: System, made: str, dtype: str, encode: Callable[[bytes], bytes]
) -> None:
    answer = upload(system, encode((DATA / f"{made}_{dtype}.pt").read_bytes())).json()
    assert (answer["status"], answer["workers_count"]) == (True, 2), answer
    expected = json.loads((DATA / f"{made}.json").read_text())
    assert (
        np.abs(answers(system, expected["rows"]) - np.array(expected["predictions"][f"{made}_{dtype}.pt"])).max()
        <= 1e-5
    )


@either_way
def test_a_keras_archive_brings_its_own_architecture(
    system: System, tmp_path: Path, encode: Callable[[bytes], bytes]
) -> None:
    import keras

    inputs = keras.Input((3,))
    hidden = keras.layers.Dense(7, activation="tanh")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.BatchNormalization()(hidden)))
    model.save(tmp_path / "model.keras")
    answer = upload(system, encode((tmp_path / "model.keras").read_bytes())).json()
    assert (answer["status"], answer["workers_count"]) == (True, 2), answer
    rows = np.random.default_rng(3).random((9, 3)).astype(np.float32)
    assert np.abs(answers(system, rows.tolist()) - model(rows).numpy()).max() <= 1e-6


@pytest.mark.parametrize(("writer", "kind"), [("keras_2_15", "nested.h5"), ("tf_keras_2_16", "nested.keras")])
def test_a_whole_model_of_keras_2_answers_as_it_did_there(system: System, writer: str, kind: str) -> None:
    with ZipFile(DATA / "saved_by_keras" / f"{writer}.zip") as files:
        content, told = files.read(kind), json.loads(files.read("nested.json"))
    answer = upload(system, content).json()
    assert (answer["status"], answer["workers_count"]) == (True, 2), answer
    (rows,) = told["rows"].values()
    assert np.abs(answers(system, rows) - np.array(told["answers"][0])).max() <= 2e-5


def test_a_whole_model_with_a_lambda_layer_is_refused_by_name(system: System) -> None:
    with ZipFile(DATA / "saved_by_keras" / "keras_2_15.zip") as files:
        answer = upload(system, files.read("code.h5")).json()
    assert answer["status"] is False
    assert "Lambda, which is not among the layers" in b64decode(answer["workers"][0]["trace"]).decode()


def test_a_whole_model_that_is_cut_off_is_refused_at_once(system: System) -> None:
    with ZipFile(DATA / "saved_by_keras" / "keras_2_15.zip") as files:
        response = upload(system, files.read("nested.h5")[:30_000])
    assert response.status_code == 400
    assert "is an HDF5 file that cannot be read" in response.json()["message"]


@either_way
def test_safetensors_named_by_the_variables_paths_load(system: System, encode: Callable[[bytes], bytes]) -> None:
    from safetensors.numpy import save

    from workers.runtime.engine import build_model

    model = build_model(ARCHITECTURE.read_text())
    answer = upload(system, encode(save({weight.path: np.array(weight.numpy()) for weight in model.weights}))).json()
    assert answer["status"] is True, answer
    assert np.abs(answers(system, ROWS.tolist()) - model(ROWS).numpy()).max() <= 1e-6


def test_a_name_of_megabytes_in_a_file_makes_no_long_answer(system: System) -> None:
    from safetensors.numpy import save

    response = upload(system, save({"x" * 9_000_000: ROWS}))

    assert [worker["result"] for worker in response.json()["workers"]] == [False, False]
    trace = b64decode(response.json()["workers"][0]["trace"]).decode()
    assert "the file holds 1 tensors" in trace.splitlines()[-1]
    assert len(response.content) < 4 * TRACE_CHARACTERS_MAX


@either_way
def test_a_weights_file_loads(system: System, encode: Callable[[bytes], bytes]) -> None:
    first = samples()[0]
    assert upload(system, encode(b64decode(first.file.read_bytes()))).json()["status"] is True
    assert np.abs(answers(system, ROWS.tolist())[:, 0] - first.answers(ROWS)).max() <= 1e-6


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\x00\x01\x02 nothing that is known", "base64"),
        (archive({"config.json": b"{}"}), "a .keras archive without its model.weights.h5"),
        (archive({"model.txt": b"{}"}), "a zip archive, but neither .keras nor one of torch.save"),
        (archive({"config.json": b"{}", "model.weights.h5": b""})[:-10], "that is cut off or damaged"),
        (b"\x89HDF\r\n\x1a no signature", "base64"),
        ((100).to_bytes(8, "little") + b'{"a":{}}', "a safetensors file that is cut off"),
        (pickle.dumps({"0.weight": [0.5]}), "a Python pickle, which is never read"),
    ],
    ids=["bytes", "no weights", "another zip", "half a zip", "half a signature", "half safetensors", "a bare pickle"],
)
def test_what_is_no_weights_file_is_refused_by_its_name(system: System, content: bytes, says: str) -> None:
    response = upload(system, content)
    assert response.status_code == 400
    assert says in response.json()["message"]
