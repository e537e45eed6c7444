"""The service as a user runs it: `scripts/serve` or `scripts/cluster` from another folder, and what it leaves."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from inference.client.http_client import ClientError, PipelineClient
from inference.supervision.processes import Child
from tests.support.system import clean_environment
from tests.support.waiting import wait_until
from workers.settings import ROOT

START_SECONDS = 120.0
STOP_SECONDS = 60.0
#: A variable that every process of a service inherits, so that all of them can be found, however far down.
MARK = "TEST_SERVICE"
NOWHERE = "http://127.0.0.1:9"


def user_environment(**settings: str) -> dict[str, str]:
    """An environment with these settings only: none of this machine's, not its proxy, not what its `.env` names."""
    inherited = {name: value for name, value in clean_environment().items() if not name.lower().endswith("_proxy")}
    return inherited | {"BROKER_URL": "", "DATABASE_URL": ""} | settings


def run(*command: str | Path, cwd: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, its output and its errors kept apart."""
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )


class Service:
    """One start of `scripts/serve` or `scripts/cluster`; its data, log and current folder are under `directory`.

    Another one with the same directory is a second start with the same data.
    """

    def __init__(self, script: str, directory: Path, *flags: str, bind: str = "127.0.0.1:0", **settings: str) -> None:
        self.data_dir = directory / "var"
        self.elsewhere = directory / "elsewhere"
        self.elsewhere.mkdir(exist_ok=True)
        self.environment = user_environment(**{MARK: str(directory), **settings})
        self._mark = str(directory)
        self._child = Child(
            script,
            [str(ROOT / "scripts" / script), "--bind", bind, "--data-dir", "../var", *flags],
            log=directory / f"{script}.out",
            env=self.environment,
            cwd=self.elsewhere,
            stop_seconds=STOP_SECONDS,
            orphan_signal=signal.SIGTERM,
        )

    def start(self) -> Service:
        """Start it, and wait until it says how to stop it."""
        self._child.start()
        self.wait_for(r"stop:  Ctrl-C\n")
        return self

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until what it has printed matches a pattern; fails when it ends before."""

        def look() -> re.Match[str] | None:
            ended = not self._child.alive()
            found = re.search(pattern, self.output)
            assert found or not ended, f"{self._child.name} ended: {self._child.ending()}"
            return found

        try:
            found = wait_until(look, START_SECONDS, f"{self._child.name} prints {pattern!r}")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.output}\n{self.logs}") from error
        assert found
        return found

    @property
    def output(self) -> str:
        """What this start has printed, errors included."""
        return self._child.log.read_bytes()[self._child.log_start :].decode()

    @property
    def logs(self) -> str:
        """The ends of the logs, for a failed test's message."""
        return "\n".join(f"--- {log.name}\n{log.read_text()[-3000:]}" for log in self.data_dir.glob("log/*.log"))

    @property
    def url(self) -> str:
        """Where it says that it answers."""
        return self.wait_for(r"Pipeline answers at (\S+)\n")[1]

    @property
    def client(self) -> PipelineClient:
        """A client of it."""
        return PipelineClient(self.url, START_SECONDS)

    def workers(self) -> set[str]:
        """The names of the workers in /status; none while it does not answer."""
        try:
            return {worker["worker"] for worker in self.client.status(10.0)["workers"]}
        except ClientError:
            return set()

    def script(self, name: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run one of the curl scripts against it, from another folder."""
        env = self.environment | {"PIPELINE_URL": self.url} | settings
        return run(ROOT / "scripts" / name, cwd=self.elsewhere, env=env)

    def manage(self, *arguments: str | Path, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a management command beside it, from another folder."""
        env = self.environment | {"PIPELINE_URL": self.url, "PIPELINE_DATA_DIR": str(self.data_dir)} | settings
        return run(sys.executable, ROOT / "manage.py", *arguments, cwd=self.elsewhere, env=env)

    def processes(self) -> list[psutil.Process]:
        """Every live process of this service, found by the variable that all of them inherit."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get(MARK) == self._mark and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def command_lines(self) -> list[str]:
        """The command lines of its processes, for a look and for a failed test's message."""
        lines = []
        for process in self.processes():
            with suppress(psutil.Error):
                lines.append(" ".join(process.cmdline()))
        return lines

    def press_ctrl_c(self) -> str:
        """Send SIGINT to the whole process group, as a terminal does; returns how it ended."""
        assert self._child.pid is not None
        os.killpg(self._child.pid, signal.SIGINT)
        return self._ending()

    def terminate(self) -> str:
        """Send SIGTERM to the process, as `kill` and service managers do; returns how it ended."""
        self._child.ask_to_stop()
        return self._ending()

    def stop(self) -> None:
        """Stop it when it runs, and make sure that nothing of it is left."""
        self._child.stop()
        try:
            wait_until(lambda: not self.processes(), 10.0, "every process has ended")
        except AssertionError as error:
            left = self.command_lines()
            for process in self.processes():
                with suppress(psutil.Error):
                    process.kill()
            raise AssertionError(f"left running: {left}") from error

    def _ending(self) -> str:
        assert self._child.wait(STOP_SECONDS), f"not stopped within {STOP_SECONDS:g} s:\n{self.output}"
        return self._child.ending()
