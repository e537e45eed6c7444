"""Two workers with one node name: the second says so in one line, and ends."""

from __future__ import annotations

import sys
from pathlib import Path

from inference.supervision.processes import Child
from inference.supervision.rabbitmq import PrivateNode
from tests.support.system import clean_environment
from tests.support.waiting import wait_until
from workers.settings import ROOT

START_SECONDS = 90.0


def test_a_name_that_another_worker_has_is_refused(rabbitmq: PrivateNode, directory: Path) -> None:
    command = [sys.executable, "-m", "celery", "-A", "workers", "worker", "--loglevel=INFO", "-n", "same@host"]
    environment = clean_environment() | {"BROKER_URL": rabbitmq.url}
    first, second = [
        Child(name, command, log=directory / f"{name}.log", env=environment, cwd=ROOT) for name in ("first", "second")
    ]
    try:
        first.start()
        wait_until(lambda: "ready." in first.log.read_text(), START_SECONDS, "the first worker is ready")
        second.start()
        assert second.wait(START_SECONDS), "the second worker has not ended"
        assert second.ending() == "exit status 1"
        said = second.log.read_text()
        assert "Another worker is connected as same@host: start each with a name of its own" in said
        assert "Traceback" not in said
        assert first.alive()
    finally:
        first.stop()
        second.stop()
