"""What each kind of process needs and what it must never load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.support.samples import samples
from tests.support.system import System, clean_environment
from workers.settings import ROOT

CELERY = [sys.executable, "-m", "celery", "-A", "workers", "worker"]


def test_the_gateway_on_rabbitmq_never_loads_tensorflow(system: System) -> None:
    first = samples()[0]
    assert system.client.set_weights(first.nn_id, first.file.name, first.file.read_bytes())["status"] is True
    assert system.client.predict([0.1, 0.2])["status"] is True
    pids = [process.pid for process in psutil.Process(system.gateway.pid).children(recursive=True)]
    assert len(pids) == 2
    for pid in pids:
        loaded = Path(f"/proc/{pid}/maps").read_text()
        assert "/numpy/" in loaded
        assert "tensorflow" not in loaded
        assert "h5py" not in loaded


def test_a_worker_runs_where_django_cannot_be_imported(system: System, tmp_path: Path) -> None:
    package = tmp_path / "django"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError('a worker host has no Django')\n")
    workers = system.workers_count() or 0
    lone = system.add_worker(PYTHONPATH=str(tmp_path))
    system.wait_for_workers(workers + 1)
    lone.stop()
    system.wait_for_workers(workers)


def test_workers_on_one_host_have_names_of_their_own(system: System) -> None:
    workers = system.client.status()["workers"]
    assert len({worker["worker"] for worker in workers}) == len(workers) == 2
    assert all(worker["address"] for worker in workers)


def test_a_worker_without_a_broker_says_what_to_set() -> None:
    done = subprocess.run(
        CELERY, cwd=ROOT, env=clean_environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "BROKER_URL is not set" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("variable", ["PIPELINE_REQUEST_TIMEOUT", "PIPELINE_WORKER_CONCURRENCY"])
def test_a_setting_that_cannot_be_read_stops_the_start_with_its_name(variable: str) -> None:
    environment = clean_environment() | {"BROKER_URL": "amqp://127.0.0.1:1//", variable: "soon"}
    done = subprocess.run(CELERY, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert variable in done.stderr


def test_the_worker_command_explains_itself() -> None:
    done = subprocess.run(
        [*CELERY, "--help"], cwd=ROOT, env=clean_environment(), capture_output=True, text=True, timeout=60, check=True
    )
    assert "Start worker instance" in done.stdout
