"""The environment of the clients that people have, and programs in it that do what a test says."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.requirement import require
from tests.support.system import clean_environment
from workers.settings import ROOT

BIN = ROOT / "var" / "clients" / "bin"
PROGRAMS = ROOT / "tests" / "end_to_end" / "clients" / "programs"
INSTALL_SECONDS = 900.0
QUIET = {"PYTHONWARNINGS": "ignore"}


@cache
def _what_failed() -> str:
    script = ROOT / "scripts" / "_clients"
    done = subprocess.run([str(script)], capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    return done.stderr if done.returncode else ""


def client_bin() -> Path:
    """The folder of their programs, `python` among them; installed when they are not there yet."""
    failed = _what_failed()
    require(not failed, f"the clients' environment (scripts/_clients: {failed.strip()[-300:]})")
    return BIN


def run_client(*command: str | Path, seconds: float = 120.0) -> subprocess.CompletedProcess[str]:
    """Run one of their programs to its end."""
    return subprocess.run(
        [str(client_bin() / command[0]), *(str(part) for part in command[1:])],
        env=clean_environment() | QUIET,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


class RefusedError(Exception):
    """What the client raised: its class's name, its message, and the status that it tells."""

    def __init__(self, told: dict[str, Any]) -> None:
        super().__init__(told["message"])
        self.kind, self.message, self.status = told["kind"], told["message"], told["status"]


class RemoteClient:
    """A client in a process of its own, which is asked by lines of JSON; see `programs/asked.py`."""

    def __init__(self, program: str, *arguments: str) -> None:
        command = [str(client_bin() / "python"), str(PROGRAMS / program), *arguments]
        self._process = subprocess.Popen(
            command, env=clean_environment() | QUIET, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __call__(self, method: str, *arguments: Any, **named: Any) -> Any:
        """What the client's method answers, as JSON.

        Raises:
            RefusedError: it raised something.
        """
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"method": method, "arguments": arguments, "named": named}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"{self._process.args!r} has ended"
        told = json.loads(line)
        if "raised" in told:
            raise RefusedError(told["raised"])
        return told["answer"]

    def close(self) -> None:
        """End it."""
        with self._process:
            assert self._process.stdin
            self._process.stdin.close()
            self._process.wait(30)
