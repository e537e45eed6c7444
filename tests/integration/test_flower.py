"""Flower shows the fleet and its tasks when PIPELINE_TASK_EVENTS says so."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from inference.supervision.addresses import LOOPBACK, free_ports
from inference.supervision.processes import Child
from inference.supervision.rabbitmq import PrivateNode
from tests.support.system import System, clean_environment
from tests.support.waiting import wait_until
from workers.messages.protocol import PREDICT_TASK
from workers.settings import ROOT

SECONDS = 60.0
PREDICTIONS = 3


@pytest.fixture
def system(rabbitmq: PrivateNode, directory: Path) -> Iterator[System]:
    """Two workers that send events."""
    made = System(directory, rabbitmq.url, PIPELINE_GATEWAY_PROCESSES="1", PIPELINE_TASK_EVENTS="true")
    try:
        made.start(0)
        for _ in range(2):
            made.add_worker(PIPELINE_TASK_EVENTS="true")
        yield made.wait_for_workers(2)
    finally:
        made.stop()


@pytest.fixture
def flower(rabbitmq: PrivateNode, directory: Path) -> Iterator[str]:
    """Flower's address, as the documentation starts it."""
    port = free_ports(1)[0]
    url = f"http://{LOOPBACK}:{port}"
    child = Child(
        "flower",
        [sys.executable, "-m", "celery", "-A", "workers", "flower", f"--address={LOOPBACK}", f"--port={port}"],
        log=directory / "flower.log",
        env=clean_environment() | {"BROKER_URL": rabbitmq.url, "FLOWER_UNAUTHENTICATED_API": "true"},
        cwd=ROOT,
    )
    child.start()
    try:
        yield url
    finally:
        child.stop()


def ask(url: str) -> Any:
    """What Flower answers; nothing while it does not."""
    try:
        answer = requests.get(url, timeout=10)
    except requests.ConnectionError:
        return {}
    return answer.json() if answer.ok else {}


def test_flower_shows_workers_and_batches(system: System, flower: str) -> None:
    system.load_first_sample()
    names = {worker["worker"] for worker in system.client.status(10.0)["workers"]}
    wait_until(lambda: set(ask(f"{flower}/api/workers?refresh=1")) == names, SECONDS, "Flower shows the workers")

    for _ in range(PREDICTIONS):
        assert system.post("/predict", {"vector": [0.1, 0.2]}).json()["status"]

    def shown() -> list[Any]:
        return [task for task in ask(f"{flower}/api/tasks").values() if task["state"] == "SUCCESS"]

    wait_until(lambda: len(shown()) == PREDICTIONS, SECONDS, "Flower shows the batches")
    assert {task["name"] for task in shown()} == {PREDICT_TASK}
    assert {task["worker"] for task in shown()} <= names
    assert all(task["sent"] <= task["received"] for task in shown())
    online = ask(f"{flower}/workers?json=1")["data"]
    assert {worker["hostname"]: worker["status"] for worker in online} == dict.fromkeys(names, True)
