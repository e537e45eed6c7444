"""Faults of the database: locked, gone, hung, killed. Predictions go on, and weight changes are refused."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil

from inference.client.http_client import ClientError
from inference.databases.waiting import ANSWER_SECONDS
from tests.chaos.cluster import Cluster
from tests.chaos.fault import Fault
from tests.support.postgresql import PrivatePostgresql
from tests.support.uploads import uploads

#: An upload that is refused has been by then: it waits for the database once or twice.
REFUSED_SECONDS = 2 * ANSWER_SECONDS + 10


class DatabaseFault(Fault):
    """Takes the database away, tries an upload, and gives the database back after some seconds.

    A version that is active by the word of an upload before is asked for: an older answer would be judged wrong.
    """

    def __init__(self, seconds: float = 10.0) -> None:
        self._seconds = seconds

    def take(self, cluster: Cluster) -> None:
        """Take the database away."""
        raise NotImplementedError

    def give_back(self, cluster: Cluster) -> None:
        """Give it back; it may not have been taken."""
        raise NotImplementedError

    def inject(self, cluster: Cluster) -> str:
        before = cluster.switches.upload(cluster.system.client, uploads(2)[1])
        assert before["status"] is True, before
        # A process that has sent no batch since the switch would hold its requests until the database is back.
        cluster.wait(1.0)
        with ThreadPoolExecutor(1) as beside:
            began = time.monotonic()
            self.take(cluster)
            try:
                cluster.wait(1.0)
                upload = beside.submit(_upload, cluster)
                while time.monotonic() < began + self._seconds:
                    asked = time.monotonic()
                    assert cluster.system.predicts(), "predictions go on"
                    assert time.monotonic() - asked < self._seconds / 2
                    cluster.wait(0.5)
            finally:
                self.give_back(cluster)
            cluster.wait_until(upload.done, REFUSED_SECONDS, "the upload is answered")
        said, took = upload.result()
        cluster.wait_until(lambda: _upload(cluster)[0] == "200", 60.0, "an upload is taken again")
        self.check(cluster)
        return f"an upload meanwhile: {said} after {took:.1f} s"

    def check(self, cluster: Cluster) -> None:
        """After all that: nothing is half-stored."""
        half = cluster.system.query(
            "Version.objects.exclude(weights__chunks__offset=0).exclude(state='deleted').count()"
        )
        assert half == 0, half

    def clear_up(self, cluster: Cluster) -> None:
        self.give_back(cluster)


def _upload(cluster: Cluster) -> tuple[str, float]:
    """Try a weight change: the status of its answer, and the seconds that it took."""
    began = time.monotonic()
    try:
        answer = cluster.switches.upload(cluster.system.client, uploads(1)[0])
    except ClientError as error:
        if error.status_code != 503:
            raise
        return str(error.status_code), time.monotonic() - began
    assert answer["status"] is True, answer
    return "200", time.monotonic() - began


def _sqlite(cluster: Cluster) -> Path:
    return Path(cluster.system.environment["PIPELINE_DATA_DIR"]) / "pipeline.sqlite3"


class LockSqlite(DatabaseFault):
    """Another process holds SQLite's write lock."""

    def __init__(self, seconds: float = 10.0) -> None:
        super().__init__(seconds)
        self.name = f"SQLite locked by another process for {seconds:g} s"
        self._other: sqlite3.Connection | None = None

    def take(self, cluster: Cluster) -> None:
        self._other = sqlite3.connect(_sqlite(cluster), timeout=60.0, isolation_level=None)
        self._other.execute("BEGIN EXCLUSIVE")

    def give_back(self, cluster: Cluster) -> None:
        if self._other is not None:
            self._other.close()
            self._other = None


class MoveSqlite(DatabaseFault):
    """SQLite's file is moved away; nobody makes an empty one in its place."""

    def __init__(self, seconds: float = 10.0) -> None:
        super().__init__(seconds)
        self.name = f"SQLite's file moved away for {seconds:g} s"

    def take(self, cluster: Cluster) -> None:
        file = _sqlite(cluster)
        file.rename(file.with_suffix(".away"))

    def give_back(self, cluster: Cluster) -> None:
        file = _sqlite(cluster)
        away = file.with_suffix(".away")
        if away.exists():
            assert not file.exists(), "somebody has made another database"
            away.rename(file)


class HangPostgresql(DatabaseFault):
    """SIGSTOP to every process of PostgreSQL: connections stay open, and nothing answers."""

    def __init__(self, server: PrivatePostgresql, seconds: float = 10.0) -> None:
        super().__init__(seconds)
        self.name = f"SIGSTOP PostgreSQL for {seconds:g} s"
        self._server = server

    def take(self, cluster: Cluster) -> None:
        self._signal(signal.SIGSTOP)

    def give_back(self, cluster: Cluster) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        server = psutil.Process(self._server.pid)
        for process in [server, *server.children(recursive=True)]:
            with suppress(ProcessLookupError):
                os.kill(process.pid, number)


class KillPostgresql(DatabaseFault):
    """SIGKILL to PostgreSQL, started again after some seconds."""

    def __init__(self, server: PrivatePostgresql, seconds: float = 10.0) -> None:
        super().__init__(seconds)
        self.name = f"SIGKILL PostgreSQL, started again after {seconds:g} s"
        self._server = server

    def take(self, cluster: Cluster) -> None:
        self._server.kill()

    def give_back(self, cluster: Cluster) -> None:
        self._server.serve()
