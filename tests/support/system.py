"""A whole Pipeline for a test: gateway processes and workers on a given broker and database, real ones."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import requests

from inference.client.http_client import ClientError, PipelineClient
from inference.supervision import programs
from inference.supervision.addresses import LOOPBACK, Bind, free_ports
from inference.supervision.processes import Child
from tests.support.samples import samples
from tests.support.waiting import wait_until
from workers.settings import ROOT

START_SECONDS = 90.0
SQLITE_NAME = "pipeline.sqlite3"
#: What gateways and workers must agree on.
SHARED_SETTINGS = ("BROKER_URL", "PIPELINE_MESSAGE_KEY")
FOREIGN_SETTINGS = ("PIPELINE_", "BROKER_URL", "DATABASE_URL", "CELERY_", "DJANGO_")


def clean_environment() -> dict[str, str]:
    """This process's environment without any setting of Pipeline."""
    return {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN_SETTINGS)}


class System:
    """Starts, watches and stops the processes; everything it writes is under `directory`."""

    def __init__(self, directory: Path, broker_url: str, database_url: str = "", **settings: str) -> None:
        self.directory = directory
        bind = Bind(LOOPBACK, free_ports(1)[0])
        self.url = bind.url
        self.client = PipelineClient(bind.url, 60.0)
        self.environment = clean_environment() | {
            "PIPELINE_DATA_DIR": str(directory / "var"),
            "PIPELINE_BIND": str(bind),
            "BROKER_URL": broker_url,
            "DATABASE_URL": database_url,
            "PIPELINE_GATEWAY_PROCESSES": "2",
            **settings,
        }
        #: What the worker hosts know; see `add_worker`.
        self.worker_environment = {name: self.environment[name] for name in SHARED_SETTINGS if name in self.environment}
        self.workers: list[Child] = []
        self.gateway = programs.gateway(directory, self.environment)
        self.more_gateways: list[Child] = []

    def start(self, workers: int, *, embedded: bool = False) -> System:
        """Bring the database up to date and start the gateway and so many workers, beside the embedded one."""
        self._make_database()
        self.gateway.start()
        for _ in range(workers):
            self.add_worker()
        return self.wait_for_workers(workers + embedded)

    def _make_database(self) -> None:
        """Bring the database up to date; where there is none yet, SQLite's is a copy of one that is."""
        made = Path(self.environment["PIPELINE_DATA_DIR"]) / SQLITE_NAME
        if not self.environment["DATABASE_URL"] and not made.exists():
            made.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(_empty_sqlite(), made)
        else:
            programs.migrate(self.environment)

    def add_worker(self, launch: Callable[[list[str]], list[str]] = lambda argv: argv, **environment: str) -> Child:
        """Start one more worker; a worker host knows the broker's address, and the key if there is one.

        `launch` makes the command line that is run of the worker's own.
        """
        needed = clean_environment() | self.worker_environment | environment
        worker = programs.worker(len(self.workers) + 1, self.directory, needed)
        worker.argv = launch(worker.argv)
        worker.start()
        self.workers.append(worker)
        return worker

    def add_gateway(self, **settings: str) -> PipelineClient:
        """Start one more gateway, a gunicorn of its own on the same database; returns a client of it."""
        bind = Bind(LOOPBACK, free_ports(1)[0])
        name = f"gateway-{len(self.more_gateways) + 2}"
        gateway = programs.gateway(self.directory / name, self.environment | {"PIPELINE_BIND": str(bind), **settings})
        gateway.start()
        self.more_gateways.append(gateway)
        client = PipelineClient(bind.url, 60.0)
        wait_until(lambda: answers(client), START_SECONDS, f"{name} answers")
        return client

    def wait_for_workers(self, count: int) -> System:
        """Wait until /status shows exactly so many workers."""
        try:
            wait_until(lambda: self.workers_count() == count, START_SECONDS, f"{count} workers are connected")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.logs()}") from error
        return self

    def post(self, path: str, body: Any, seconds: float = 60.0) -> requests.Response:
        """POST a JSON body on a connection of its own, and wait so long for the answer."""
        return requests.post(self.url + path, json=body, timeout=seconds)

    def load_first_sample(self) -> System:
        """Make the first sample network the default one, on every worker."""
        first = samples()[0]
        assert self.client.set_weights(first.nn_id, first.file.name, first.file.read_bytes())["status"] is True
        return self

    def connect(self) -> socket.socket:
        """A connection to the gateway, to send whatever bytes."""
        host, port = self.url.removeprefix("http://").split(":")
        return socket.create_connection((host, int(port)), timeout=60)

    def workers_count(self) -> int | None:
        """How many workers /status shows; None while the gateway does not answer."""
        try:
            return int(self.client.status(5.0)["workers_count"])
        except ClientError:
            return None

    def predicts(self) -> bool:
        """Whether a prediction is answered within five seconds."""
        try:
            return bool(self.client.predict([0.1, 0.2], timeout_seconds=5.0)["status"])
        except ClientError:
            return False

    def change_gateway(self, **settings: str) -> None:
        """Have the gateway, which is stopped, start with other settings."""
        self.environment |= settings
        self.gateway = programs.gateway(self.directory, self.environment)

    def restart_gateway(self) -> None:
        """Stop the gateway and start it again."""
        self.gateway.stop()
        self.gateway.start()
        wait_until(lambda: self.workers_count() is not None, START_SECONDS, "the gateway answers")

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a management command as a user would."""
        return subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def query(self, expression: str) -> Any:
        """The value of a Python expression over `inference.models`, computed beside the gateway."""
        code = f"import json; from inference.models import *; print(json.dumps({expression}))"
        done = self.manage("shell", "--verbosity", "0", "-c", code)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def logs(self) -> str:
        """The ends of all logs, for a failed test's message."""
        return "\n".join(f"--- {log.name}\n{log.read_text()[-3000:]}" for log in self.directory.rglob("log/*.log"))

    def stop(self) -> None:
        """Stop every process. A gateway that ends gives a client's open connection a moment for one more request."""
        _close_connections(self.client)
        children = [*self.workers, self.gateway, *self.more_gateways]
        for child in children:
            child.ask_to_stop()
        for child in children:
            child.stop()


def _close_connections(client: PipelineClient) -> None:
    """Not by the session: urllib3 keeps a pool's connections as long as anybody knows it, as an exception may."""
    for adapter in client._session.adapters.values():
        pools = adapter.poolmanager.pools  # type: ignore[attr-defined]  # of the only kind of adapter that there is
        for key in set(pools.keys()):
            pools[key].close()
    client._session.close()  # and so the next request opens another


@cache
def _empty_sqlite() -> Path:
    """A database that is up to date and has nothing in it, made once by each process of the tests."""
    folder = Path(tempfile.mkdtemp(prefix="pipeline-sqlite-"))
    atexit.register(shutil.rmtree, folder)
    programs.migrate(clean_environment() | {"PIPELINE_DATA_DIR": str(folder), "DATABASE_URL": "", "BROKER_URL": ""})
    return folder / SQLITE_NAME


def answers(client: PipelineClient) -> bool:
    """Whether a gateway answers."""
    try:
        client.status(5.0)
    except ClientError:
        return False
    return True
