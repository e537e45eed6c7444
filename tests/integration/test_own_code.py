"""Networks of the operator's own layers, on workers that have them and on one that lacks them."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests

from inference.supervision.rabbitmq import PrivateNode
from tests.support.own_code import FOLDER, imported
from tests.support.system import System
from workers.runtime.backend import keras

OWN_CODE = {"PIPELINE_MODULES": "team.layers", "PYTHONPATH": str(FOLDER)}
NN_ID = "5" * 32
ROWS = np.random.default_rng(5).normal(size=(6, 4)).astype(np.float32)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Any]:
    """A subclassed model as a `.keras` file, and its answers to ROWS."""
    with imported("team.layers"):
        model = keras.saving.get_custom_objects()["team>Net"](units=5)
        answers = model(ROWS).numpy()
        file = tmp_path_factory.mktemp("saved") / "net.keras"
        model.save(file)
    return file.read_bytes(), answers


@pytest.fixture
def system(rabbitmq: PrivateNode, directory: Path) -> Iterator[System]:
    system = System(directory, rabbitmq.url)
    try:
        system.start(0)
        yield system
    finally:
        system.stop()


def upload(system: System, content: bytes) -> dict[str, Any]:
    files = {"data": ("net.keras", content, "application/octet-stream")}
    sent = requests.put(system.url + "/set_weights", data={"nn_id": NN_ID}, files=files, timeout=100)
    return dict(sent.json())


def test_a_version_that_a_worker_lacks_the_module_for_becomes_active_nowhere(
    system: System, saved: tuple[bytes, Any]
) -> None:
    content, answers = saved
    system.add_worker(**OWN_CODE)
    lacking = system.add_worker(PIPELINE_MODULES="team.layers")
    system.wait_for_workers(2)

    refused = upload(system, content)

    assert sorted(worker["result"] for worker in refused["workers"]) == [False, True]
    traces = [b64decode(worker["trace"]).decode() for worker in refused["workers"] if not worker["result"]]
    reason = traces[0].splitlines()[-1]
    assert "'team>Net'" in reason
    assert "could not import team.layers of PIPELINE_MODULES (ModuleNotFoundError: No module named 'team')" in reason
    assert system.client.network(NN_ID)["active_version"] is None

    lacking.stop()
    system.wait_for_workers(1)
    assert upload(system, content)["status"] is True
    told = system.post("/predict", {"data": ROWS.tolist()}).json()
    np.testing.assert_allclose(told["result"], answers, rtol=1e-5, atol=1e-5)
