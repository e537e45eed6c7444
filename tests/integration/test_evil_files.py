"""Files that attack, uploaded to real workers: refused by each with a clear reason; nothing is run, nobody dies."""

from __future__ import annotations

import io
import json
import zipfile
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import h5py
import keras
import numpy as np
import pytest
import requests

from tests.support.archives import Global, archive, torch_file
from tests.support.samples import ARCHITECTURE, samples
from tests.support.system import System


def whole(config: str | bytes = ARCHITECTURE.read_bytes(), weights: bytes = b"", **members: bytes) -> bytes:
    """A `.keras` archive; its weights are the first sample's unless others are given."""
    config = config.encode() if isinstance(config, str) else config
    weights = weights or b64decode(samples()[0].file.read_bytes())
    return archive({"config.json": config, "model.weights.h5": weights, **members}, zipfile.ZIP_DEFLATED)


def lambda_layer(canary: Path) -> bytes:
    path = str(canary)
    evil = keras.layers.Lambda(lambda rows: (__import__("pathlib").Path(path).touch(), rows)[1])
    layers = [keras.Input((2,)), evil]
    config = keras.Sequential(layers).to_json()
    canary.unlink()
    return whole(config)


def named_function(module: str, name: str) -> Callable[[Path], bytes]:
    """A Dense layer whose activation is any function."""

    def make(_: Path) -> bytes:
        config: Any = json.loads(ARCHITECTURE.read_text())
        function = {"module": module, "class_name": "function", "config": name, "registered_name": "function"}
        config["config"]["layers"][1]["config"]["activation"] = function
        return whole(json.dumps(config))

    return make


def shape_bomb(_: Path) -> bytes:
    config: Any = json.loads(
        keras.Sequential([keras.Input((2,)), keras.layers.Dense(3), keras.layers.Dense(3)]).to_json()
    )
    for layer in config["config"]["layers"][1:]:
        layer["config"]["units"] = 1 << 26
        layer.pop("build_config", None)
    return whole(json.dumps(config))


def external_numbers(canary: Path) -> bytes:
    secret = canary.with_name("secret")
    secret.write_bytes(bytes(8))
    file = io.BytesIO()
    with h5py.File(file, "w") as opened:
        opened.create_dataset("layers/dense/vars/0", (2,), np.float32, external=[(str(secret), 0, 8)])
    return whole(weights=file.getvalue())


def calls_os_system(canary: Path) -> bytes:
    return torch_file(Global("os", "system")(f"touch {canary}"), {})


ATTACKS: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "CVE-2025-1550: any module's function": (named_function("os", "system"), "no activation: os.system"),
    "CVE-2025-8747: a file fetched by Keras": (
        named_function("keras.utils", "get_file"),
        "no activation: keras.utils.get_file",
    ),
    "CVE-2025-9905: a Lambda layer with code": (lambda_layer, "keras.layers.Lambda, which is not among the layers"),
    "CVE-2025-9906: safe mode switched off": (
        named_function("keras.config", "enable_unsafe_deserialization"),
        "no activation: keras.config.enable_unsafe_deserialization",
    ),
    "CVE-2026-0897: terabytes of kernel": (shape_bomb, "bytes of memory"),
    "CVE-2026-1669: numbers of another file": (external_numbers, "keeps its numbers in another file"),
    "a zip bomb": (lambda _: whole(weights=bytes(200 * 1024**2)), "in the archive is larger than"),
    "a PyTorch pickle that calls os.system": (calls_os_system, "the file asks for os.system"),
}


@pytest.fixture
def before(system: System) -> Iterator[Any]:
    """What is served, which is the same after every attack, by the same workers."""
    sample = samples()[0]
    assert system.client.set_weights(sample.nn_id, sample.file.name, sample.file.read_bytes())["status"] is True
    workers = {worker["worker"] for worker in system.client.status()["workers"]}
    answer = system.client.predict([0.25, 0.5])
    yield answer
    assert system.client.predict([0.25, 0.5]) == answer
    assert {worker["worker"] for worker in system.client.status()["workers"]} == workers
    assert all(worker.alive() for worker in system.workers)


@pytest.mark.parametrize(("make", "reason"), ATTACKS.values(), ids=ATTACKS)
def test_an_attack_is_refused_by_every_worker_and_runs_nothing(
    make: Callable[[Path], bytes], reason: str, system: System, before: Any, tmp_path: Path
) -> None:
    canary = tmp_path / "canary"

    answer = system.client.set_weights(uuid4().hex, "weights", make(canary))

    assert (answer["status"], answer["workers_count"]) == (False, 2), answer
    for worker in answer["workers"]:
        assert reason in b64decode(worker["trace"]).decode()
    assert not canary.exists()


def test_a_member_that_leads_out_of_the_archive_is_refused_by_the_gateway(
    system: System, before: Any, tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    content = whole(**{f"../../../../../..{canary}": b"evil"})
    files = {"data": ("weights", content, "application/octet-stream")}

    response = requests.put(system.url + "/set_weights", data={"nn_id": uuid4().hex}, files=files, timeout=60)

    assert (response.status_code, "leads out of it" in response.json()["message"]) == (400, True)
    assert not canary.exists()
