"""PIPELINE_LOG_FORMAT=json: every line that gateway, gunicorn and worker log is an object with its request's id."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import requests

from inference.supervision.rabbitmq import PrivateNode
from tests.support.samples import samples
from tests.support.system import System

#: What TensorFlow's own code, and Celery before it logs, write beside the log.
FOREIGN = ("WARNING: All log messages before absl", "I0000 ", "E0000 ", "W0000 ")


def objects(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]


def test_a_request_can_be_followed_through_the_logs(rabbitmq: PrivateNode, directory: Path) -> None:
    json_and_access = {"PIPELINE_LOG_FORMAT": "json", "GUNICORN_CMD_ARGS": "--access-logfile -"}
    system = System(directory, rabbitmq.url, **json_and_access)
    try:
        system.start(0)
        system.add_worker(PIPELINE_LOG_FORMAT="json")
        system.wait_for_workers(1).load_first_sample()
        body, headers = {"vector": [1, 2, 3]}, {"X-Request-ID": "follow-me"}
        failed = requests.post(f"{system.url}/predict", json=body, headers=headers, timeout=60)
        assert failed.json()["status"] is False
    finally:
        system.stop()

    gateway_log, worker_log = (next(directory.rglob(f"log/{name}.log")) for name in ("gateway", "worker-1"))
    lines = [line for line in gateway_log.read_text().splitlines() if not line.startswith(FOREIGN)]
    assert all(line.startswith("{") for line in lines), gateway_log.read_text()
    gateway, worker = objects(gateway_log), objects(worker_log)
    assert {"gunicorn.error", "inference.dispatch.predictions", "inference.versions.switch"} <= {
        line["logger"] for line in gateway
    }
    assert {"celery.apps.worker", "workers.tasks"} <= {line["logger"] for line in worker}
    nn_id = samples()[0].nn_id
    lines = {line["logger"]: line for line in gateway + worker if line.get("request_id") == "follow-me"}
    assert set(lines) == {"inference.dispatch.predictions", "workers.tasks", "uvicorn.access"}
    for line in (lines["inference.dispatch.predictions"], lines["workers.tasks"]):
        assert (line["level"], line["nn_id"], line["version"]) == ("WARNING", nn_id, 1)
    (active,) = [line for line in gateway if line["logger"] == "inference.versions.switch"]
    loaded = [line for line in worker if line["logger"] == "workers.runtime.networks"]
    assert active["request_id"] in [line.get("request_id") for line in loaded]
