"""No log and no output has a password, a key or a token, whatever goes wrong."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from inference.access.keys import new_key
from inference.client.http_client import PipelineClient
from inference.supervision import programs
from inference.supervision.rabbitmq import PrivateNode
from tests.support.postgresql import PrivatePostgresql
from tests.support.system import System, answers
from tests.support.waiting import wait_until

BROKER, DATABASE, SIGNING = "hunter2-of-the-broker", "hunter2-of-the-database", "hunter2-of-the-sessions-" * 3


@pytest.fixture
def wrong(rabbitmq: PrivateNode, postgresql: PrivatePostgresql, tmp_path: Path) -> System:
    """A gateway and a worker whose passwords for broker and database are wrong."""
    postgresql.require_password("pipeline", "right")
    return System(
        tmp_path,
        rabbitmq.url.replace("guest:guest@", f"pipeline:{BROKER}@"),
        postgresql.url.replace("postgres@", f"pipeline:{DATABASE}@"),
        PIPELINE_REQUIRE_TOKEN="true",
        PIPELINE_SECRET_KEY=SIGNING,
        PIPELINE_LOG_LEVEL="DEBUG",
    )


def test_wrong_passwords_are_not_told_to_the_log(wrong: System, tmp_path: Path) -> None:
    key = new_key()
    client = PipelineClient(wrong.url, 30.0, key)
    log, worker_log = tmp_path / "log" / "gateway.log", tmp_path / "log" / "worker-1.log"
    migrated = wrong.manage("migrate")
    try:
        wrong.gateway.start()
        wrong.add_worker()
        wait_until(lambda: answers(client) or "cannot be read" in text(log), 60.0, "the gateway looks for its tokens")
        asked = [client._session.request(method, wrong.url + path, timeout=30) for method, path in (
            ("GET", "/status"), ("GET", "/readyz"), ("POST", "/predict"), ("PUT", "/set_weights"), ("GET", "/admin/"),
        )]  # fmt: skip
        wait_until(lambda: "ACCESS_REFUSED" in text(worker_log), 60.0, "the broker refuses the worker")
        wait_until(lambda: "ACCESS_REFUSED" in text(log), 60.0, "and the gateway")
    finally:
        wrong.stop()

    assert "password authentication failed" in migrated.stderr
    assert "password authentication failed" in text(log)
    told = [migrated.stdout, migrated.stderr, text(log), text(worker_log), *(each.text for each in asked)]
    told += [str(each.headers) for each in asked]
    for secret in (BROKER, DATABASE, SIGNING, key):
        assert [where for where in told if secret in where] == []
    assert asked[0].status_code == 503


def text(log: Path) -> str:
    return log.read_text() if log.exists() else ""


@pytest.mark.parametrize("bind", ["0.0.0.0:0", "127.0.0.1:0 --bind unix:{}/socket"])
def test_what_would_be_open_to_everybody_does_not_start(bind: str, tmp_path: Path) -> None:
    system = System(tmp_path, "memory://", PIPELINE_REQUIRE_TOKEN="false")
    arguments = f"--bind {bind}".format(tmp_path).split()
    command = [*programs.gateway(tmp_path, system.environment).argv, *arguments]
    done = subprocess.run(command, env=system.environment, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 1
    assert "Error: PIPELINE_REQUIRE_TOKEN=false would let in everybody who reaches" in done.stderr
    assert not (tmp_path / "socket").exists()
