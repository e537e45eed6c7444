"""What a process does not have to have: TensorFlow in the gateway, Django in a worker."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from workers.settings import ROOT

#: With this, an import of any of the packages fails as where they are not installed.
NOT_INSTALLED = "import sys; sys.modules.update(dict.fromkeys({packages!r}))\n"


def run_without(packages: list[str], statement: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A statement in a process of its own, which has RabbitMQ for its broker and does not have the packages."""
    names = ("PATH", "HOME", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
    inherited = {name: os.environ[name] for name in names if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", NOT_INSTALLED.format(packages=packages) + statement],
        cwd=ROOT,
        env={**inherited, "BROKER_URL": "amqp://guest:guest@nowhere.invalid//", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_gateway_on_rabbitmq_needs_neither_tensorflow_nor_keras_nor_h5py(tmp_path: Path) -> None:
    statement = "import gateway_site.asgi, gateway_site.urls; from inference.gateway import Gateway; Gateway()"

    run = run_without(["tensorflow", "keras", "h5py"], statement, PIPELINE_DATA_DIR=str(tmp_path))

    assert run.returncode == 0, run.stderr


def test_a_worker_needs_neither_django_nor_the_gateway() -> None:
    packages = ["django", "rest_framework", "inference", "gateway_site"]

    run = run_without(packages, "import workers.startup, workers.tasks, workers.control")

    assert run.returncode == 0, run.stderr


def test_a_package_that_is_not_installed_would_be_missed() -> None:
    assert "ModuleNotFoundError" in run_without(["django"], "import django").stderr
