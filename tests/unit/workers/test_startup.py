"""What the plain command that starts a worker does by itself."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from workers import startup
from workers.settings import ROOT


def test_a_node_of_celerys_default_name_gets_one_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup, "default_nodename", lambda _: "celery@here")

    names = {startup.unique_name("celery@here") for _ in range(10)}

    assert len(names) == 10
    assert all(name.startswith("worker-") and name.endswith("@here") for name in names)


def test_a_node_that_was_given_a_name_keeps_it() -> None:
    assert startup.unique_name("blue@there") == "blue@there"


def test_a_worker_of_its_own_does_not_start_without_a_broker() -> None:
    with pytest.raises(SystemExit, match="BROKER_URL is not set"):
        startup.prepare_command(instance=None)


@pytest.mark.parametrize(
    "told", [("PIPELINE_MESSAGE_KEY", "short"), ("BROKER_URL", "amqps://u:secret@localhost//?verify=verify_none")]
)
def test_a_worker_that_is_told_nonsense_ends_with_one_line_that_names_it(told: tuple[str, str]) -> None:
    name, value = told
    environment = os.environ | {"BROKER_URL": "amqp://localhost//", name: value}
    command = [sys.executable, "-m", "celery", "-A", "workers", "worker"]

    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 1
    assert done.stdout + done.stderr == done.stderr.splitlines()[0] + "\n"
    assert done.stderr.startswith(f'Environment variable "{name}"')
    assert value not in done.stderr
