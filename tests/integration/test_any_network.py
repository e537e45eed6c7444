"""Networks of any inputs and outputs, several at once, through real gateways and workers: they answer as Keras does."""

from __future__ import annotations

from base64 import b64decode
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import keras
import numpy as np
import pytest
import requests
from numpy.typing import NDArray

from tests.support.load import at_once
from tests.support.samples import samples
from tests.support.system import System

TOLERANCE = 1e-6
CLIENTS = 32


def load(system: System, file_name: str, content: bytes, nn_id: str | None = None) -> str:
    """Upload weights for a network, a new one unless it is named; returns its name."""
    nn_id = nn_id or uuid4().hex
    files = {"data": (file_name, content, "application/octet-stream")}
    answer = requests.put(system.url + "/set_weights", data={"nn_id": nn_id}, files=files, timeout=100).json()
    assert (answer["status"], answer["workers_count"]) == (True, 2), answer
    return nn_id


def load_model(system: System, model: keras.Model, folder: Path) -> str:
    model.save(folder / "model.keras")
    return load(system, "model.keras", (folder / "model.keras").read_bytes())


def predict(system: System, **body: Any) -> Any:
    answer = system.post("/predict", body).json()
    assert answer["status"] is True, b64decode(answer["message"])
    return answer["result"]


def reason(answer: Any) -> str:
    """The last line of a failed prediction's trace."""
    assert (answer["status"], answer["result"]) == (False, 0.0)
    return b64decode(answer["message"]).decode().strip().rpartition("\n")[2]


@cache
def _scores_and_ids() -> keras.Model:
    """Passes whole numbers on, doubles them, and computes with floats beside them."""
    ids, scores = keras.Input((), dtype="int64", name="ids"), keras.Input((3,), name="scores")
    same = keras.layers.Identity(name="same")(ids)
    dense = keras.layers.Dense(2, name="dense")(scores)
    return keras.Model({"ids": ids, "scores": scores}, {"same": same, "twice": keras.ops.add(ids, ids), "dense": dense})


def test_several_inputs_and_outputs_go_by_name_and_no_digit_is_lost(system: System, tmp_path: Path) -> None:
    model = _scores_and_ids()
    load_model(system, model, tmp_path)
    ids = [2**24 + 1, -(2**40) - 1, 2**53 - 1, 0]
    scores = np.random.default_rng(1).random((4, 3)).astype(np.float32)
    wanted = model({"ids": np.array(ids), "scores": scores})["dense"].numpy()

    batch = predict(system, data={"scores": scores.tolist(), "ids": ids})
    assert (batch["same"], batch["twice"]) == (ids, [2 * number for number in ids])
    assert np.abs(np.array(batch["dense"]) - wanted).max() <= TOLERANCE

    row = predict(system, vector={"ids": ids[0], "scores": scores[0].tolist()})
    assert (row["same"], row["twice"]) == (ids[0], 2 * ids[0])
    assert np.abs(np.array(row["dense"]) - wanted[0]).max() <= TOLERANCE


def test_whole_numbers_that_no_float_holds_arrive(system: System, tmp_path: Path) -> None:
    load_model(system, _scores_and_ids(), tmp_path)
    largest = 2**62 - 1
    row = predict(system, vector={"ids": largest, "scores": [0, 0, 0]})
    assert (row["same"], row["twice"]) == (largest, 2 * largest)


def test_inputs_that_do_not_fit_are_the_networks_to_refuse(system: System, tmp_path: Path) -> None:
    load_model(system, _scores_and_ids(), tmp_path)
    for rows, why in [
        ([1, 2], "the network's inputs are"),
        ({"ids": 1}, "the network's inputs are"),
        ({"ids": 1.5, "scores": [1, 2, 3]}, "'ids' takes int64, got numbers that are none"),
        ({"ids": 2**64, "scores": [1, 2, 3]}, "'ids' takes int64, got numbers that are none"),
        ({"ids": -(2**63) - 1, "scores": [1, 2, 3]}, "'ids' takes int64, got numbers that are none"),
        ({"ids": True, "scores": [1, 2, 3]}, "'ids' takes int64, got bool"),
        ({"ids": [1], "scores": [1, 2, 3]}, "takes rows of shape () for 'ids'"),
        ({"ids": 1, "scores": [1, 2, 1e39]}, "'scores' takes float32, got a number that is too large"),
    ]:
        assert why in reason(system.post("/predict", {"vector": rows}).json())


def images() -> tuple[keras.Model, NDArray[Any]]:
    layers = [keras.Input((6, 5, 3)), keras.layers.Conv2D(4, 3, activation="relu"), keras.layers.MaxPooling2D()]
    model = keras.Sequential([*layers, keras.layers.Flatten(), keras.layers.Dense(2)])
    return model, np.random.default_rng(2).random((5, 6, 5, 3)).astype(np.float32)


def pictures_of_pictures() -> tuple[keras.Model, NDArray[Any]]:
    model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2DTranspose(2, 3)])
    return model, np.random.default_rng(3).random((2, 4, 4, 1)).astype(np.float32)


def single_numbers() -> tuple[keras.Model, NDArray[Any]]:
    return keras.Sequential([keras.Input(()), keras.layers.Rescaling(2.0, 1.0)]), np.array([0.5, 0.25, 3], np.float32)


def doubles() -> tuple[keras.Model, NDArray[Any]]:
    model = keras.Sequential([keras.Input((2,), dtype="float64"), keras.layers.Dense(1, dtype="float64")])
    return model, np.array([[1e300, 0.1], [2**53 - 1, 1e-300]])


def truths() -> tuple[keras.Model, NDArray[Any]]:
    given = keras.Input((3,), dtype="bool")
    return keras.Model(given, keras.ops.logical_not(given)), np.array([[True, False, True], [False, False, True]])


@pytest.mark.parametrize("make", [images, pictures_of_pictures, single_numbers, doubles, truths])
def test_rows_of_any_rank_and_kind_are_answered_as_keras_does(make: Any, system: System, tmp_path: Path) -> None:
    model, rows = make()
    load_model(system, model, tmp_path)
    wanted = np.asarray(model(rows, training=False))

    np.testing.assert_allclose(np.array(predict(system, data=rows.tolist())), wanted, rtol=1e-6, atol=TOLERANCE)
    if rows.ndim > 1:
        alone = np.array(predict(system, vector=rows[0].tolist()))
        np.testing.assert_allclose(alone, wanted[0] if wanted[0].size > 1 else wanted[0].item(), rtol=1e-6, atol=1e-6)


def test_sequences_of_any_length_are_answered_side_by_side(system: System, tmp_path: Path) -> None:
    layers = [keras.Input((None,), dtype="int32"), keras.layers.Embedding(50, 4, mask_zero=True), keras.layers.GRU(3)]
    model = keras.Sequential([*layers, keras.layers.Dense(1)])
    load_model(system, model, tmp_path)
    random = np.random.default_rng(4)
    sequences = [random.integers(0, 50, length) for length in range(1, 17)]
    wanted = [model(sequence[np.newaxis], training=False).numpy().item() for sequence in sequences]

    answers = at_once(len(sequences), lambda number: predict(system, vector=sequences[number].tolist()))
    assert np.abs(np.array(answers) - wanted).max() <= TOLERANCE
    unknown = system.post("/predict", {"vector": [1, 2, 50]}).json()
    assert reason(unknown).endswith("cannot compute these rows: indices[0,2] = 50 is not in [0, 50)")


def test_requests_of_a_network_whose_rows_belong_together_share_no_call(system: System, tmp_path: Path) -> None:
    given = keras.Input((3,))
    numbers = keras.layers.Dense(2)(given)
    model = keras.Model(given, numbers - keras.ops.mean(numbers, axis=0, keepdims=True))
    nn_id = load_model(system, model, tmp_path)
    random = np.random.default_rng(6)
    asked = [random.normal(size=(1 + number % 3, 3)).astype(np.float32) for number in range(CLIENTS)]
    wanted = [np.asarray(model(rows)) for rows in asked]

    for _ in range(3):
        answers = at_once(CLIENTS, lambda number: predict(system, data=asked[number].tolist()))
        for answer, right in zip(answers, wanted, strict=True):
            np.testing.assert_allclose(np.array(answer), right, rtol=1e-6, atol=TOLERANCE)
    alone = predict(system, vector=asked[0][0].tolist())
    assert alone == [0.0, 0.0]

    version = requests.get(f"{system.url}/networks/{nn_id}/versions/1", timeout=10).json()
    (remark,) = version["remarks"]
    assert remark.startswith("Its rows belong together")
    assert [report["remarks"] for report in version["activations"][0]["reports"]] == [[remark]] * 2
    metrics = requests.get(f"{system.url}/metrics", timeout=10).text
    counted = [line for line in metrics.splitlines() if line.startswith("pipeline_worker_requests_apart_total{")]
    assert sum(float(line.split()[-1]) for line in counted) == 3 * CLIENTS + 1


def test_numbers_that_the_network_refuses_fail_nobody_elses_request(system: System) -> None:
    first = samples()[0]
    nn_id = load(system, first.file.name, first.file.read_bytes())
    rows = [[0.5, 1e39] if number % 8 == 0 else [number / CLIENTS, 0.5] for number in range(CLIENTS)]
    good = [number for number in range(CLIENTS) if number % 8]
    wanted = first.answers(np.array([rows[number] for number in good]))

    for _ in range(5):
        answers = at_once(CLIENTS, lambda number: system.post("/predict", {"vector": rows[number], "nn_id": nn_id}))
        bodies = [answer.json() for answer in answers]
        results = [bodies[number]["result"] for number in good]
        assert [bodies[number]["status"] for number in good] == [True] * len(good)
        assert np.abs(np.array(results) - wanted).max() <= TOLERANCE
        assert {reason(bodies[number]) for number in range(0, CLIENTS, 8)} == {
            "workers.runtime.errors.NumbersError: 'numbers' takes float32, got a number that is too large for float32"
        }


def test_an_older_version_and_another_network_answer_when_they_are_asked_for(system: System) -> None:
    first, second, third = samples()
    nn_id = load(system, first.file.name, first.file.read_bytes())
    load(system, second.file.name, second.file.read_bytes(), nn_id)
    other = load(system, third.file.name, third.file.read_bytes())
    row = np.array([[0.3, 0.7]])

    for named, made_by, sample in [
        ({}, (other, 1), third),
        ({"version": 1}, (other, 1), third),
        ({"nn_id": nn_id}, (nn_id, 2), second),
        ({"nn_id": nn_id, "version": 1}, (nn_id, 1), first),
        ({"nn_id": nn_id, "version": 2}, (nn_id, 2), second),
        ({"nn_id": other}, (other, 1), third),
    ]:
        answer = system.client.predict([0.3, 0.7], **named)
        assert (answer["message"], answer["version"]) == made_by
        assert answer["result"] == pytest.approx(sample.answers(row)[0], abs=TOLERANCE)
    printed = system.manage("predict", "0.3", "0.7", "--url", system.url, "--nn-id", nn_id, "--of-version", "1").stdout
    assert f"(network {nn_id}, version 1)" in printed


def test_what_cannot_be_asked_for_is_told(system: System) -> None:
    first = samples()[0]
    nn_id = load(system, first.file.name, first.file.read_bytes())
    files = {"data": ("bad", b"\x89HDF\r\n\x1a\n no weights", "application/octet-stream")}
    failed = requests.put(system.url + "/set_weights", data={"nn_id": nn_id}, files=files, timeout=100).json()
    assert (failed["status"], failed["version"]) == (False, 2)

    for named, status, says in [
        ({"nn_id": "f" * 32}, 404, "there is no network " + "f" * 32),
        ({"nn_id": nn_id, "version": 3}, 404, f"network {nn_id} has no version 3"),
        ({"version": 3}, 404, f"network {nn_id} has no version 3"),
        ({"nn_id": nn_id, "version": 2}, 409, "version 2 is failed"),
        ({"nn_id": "no name"}, 400, "nn_id must be"),
        ({"nn_id": nn_id, "version": 0}, 400, "version must be"),
        ({"version": True}, 400, "version must be"),
    ]:
        answer = system.post("/predict", {"vector": [0.3, 0.7], **named})
        assert (answer.status_code, answer.json()["status"]) == (status, False)
        assert says in answer.json()["message"]
    assert system.client.predict([0.3, 0.7], nn_id=nn_id)["version"] == 1
