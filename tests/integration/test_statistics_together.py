"""Several processes write timings and statistics and prune at once, on PostgreSQL and on SQLite: the sums are right."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from tests.support.system import clean_environment
from tests.support.timing_writer import TIMINGS_A_FLUSH
from workers.settings import ROOT

FLUSHES, PROCESSES = 40, 3
Writer = subprocess.Popen[str]


class Shared:
    """A database, and the processes that write to it."""

    def __init__(self, directory: Path, url: str) -> None:
        self.file = directory / "pipeline.sqlite3"
        self._environment = clean_environment() | {"PIPELINE_DATA_DIR": str(directory), "DATABASE_URL": url}
        self.writers: list[Writer] = []
        self._run("manage.py", "migrate", "--verbosity", "0")

    def start(self, flushes: int, **settings: str) -> Writer:
        """A process that writes."""
        command = [sys.executable, "-m", "tests.support.timing_writer", str(flushes)]
        environment = self._environment | settings
        writer = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=-1, stderr=-1, text=True)
        self.writers.append(writer)
        return writer

    def ask(self, expression: str) -> Any:
        """The value of an expression over models and `summary`."""
        code = (
            "import json; from datetime import timedelta; from django.utils import timezone; "
            "from inference.models import *; from inference.statistics.summary import summary; "
            f"now = timezone.now(); print(json.dumps({expression}))"
        )
        return json.loads(self._run("manage.py", "shell", "--verbosity", "0", "-c", code).splitlines()[-1])

    def counted(self) -> int:
        """How many requests the statistics have."""
        return int(self.ask("summary(now - timedelta(days=4), now + timedelta(days=1)).count"))

    def prune(self, **settings: str) -> str:
        """What `manage.py prune_timings` prints."""
        return self._run("manage.py", "prune_timings", **settings)

    def stop(self) -> None:
        """End what is still running."""
        for writer in self.writers:
            writer.kill()
            writer.communicate(timeout=30)

    def _run(self, *arguments: str, **settings: str) -> str:
        command = [sys.executable, *arguments]
        environment = self._environment | settings
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shared]:
    """An empty database, on either."""
    url = ""
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql").new_database(f"statistics_{os.urandom(4).hex()}")
    made = Shared(tmp_path, url)
    try:
        yield made
    finally:
        made.stop()


def lines(writer: Writer, count: int) -> None:
    """Wait until a process has written so many times more."""
    assert writer.stdout is not None
    for _ in range(count):
        assert writer.stdout.readline(), writer.stderr.read() if writer.stderr else ""


def test_processes_that_write_merge_and_prune_at_once_count_each_request_once(shared: Shared) -> None:
    few = {"PIPELINE_TIMINGS_MAX_ROWS": "2000"}
    writers = [shared.start(FLUSHES, **few) for _ in range(PROCESSES)]

    ended = [(writer.communicate(timeout=120), writer.returncode) for writer in writers]

    assert [code for _, code in ended] == [0] * PROCESSES, ended
    assert all("deadlock" not in errors for (_, errors), _ in ended)
    assert "2,000 timings and" in shared.prune(**few)
    assert shared.counted() == PROCESSES * FLUSHES * TIMINGS_A_FLUSH
    several = "Rollup.objects.filter(period_seconds=3600, start__lt=now - timedelta(days=1)).count()"
    assert shared.ask(several) <= 3 * 2 * 2  # of three workers, in an hour or two, of a network and of all


def test_a_process_that_is_killed_leaves_timings_and_statistics_that_agree(shared: Shared) -> None:
    writer = shared.start(100_000)
    lines(writer, 10)
    writer.kill()
    writer.communicate(timeout=30)

    written = shared.ask("PredictionTiming.objects.count()")

    assert written >= 10 * TIMINGS_A_FLUSH
    assert shared.counted() == written


def test_who_locks_the_database_delays_timings_and_loses_none(tmp_path: Path) -> None:
    shared = Shared(tmp_path, "")
    try:
        writer = shared.start(FLUSHES)
        lines(writer, 3)
        with closing(sqlite3.connect(shared.file, isolation_level=None, timeout=20)) as other:
            other.execute("BEGIN IMMEDIATE")
            held = other.execute("SELECT COUNT(*) FROM inference_predictiontiming").fetchone()[0]
            sleep(1.0)
            assert other.execute("SELECT COUNT(*) FROM inference_predictiontiming").fetchone()[0] == held
            other.execute("COMMIT")
        _, errors = writer.communicate(timeout=60)

        assert writer.returncode == 0, errors
        assert shared.ask("PredictionTiming.objects.count()") == FLUSHES * TIMINGS_A_FLUSH
        assert shared.counted() == FLUSHES * TIMINGS_A_FLUSH
    finally:
        shared.stop()
