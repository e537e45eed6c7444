"""One child process: started, asked to stop, ended for sure; what to do when it dies is the supervisor's business."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from inference.supervision import leash
from inference.supervision.errors import StartError

POLL_SECONDS = 0.02


class Supervised(Protocol):
    """What a supervisor starts, watches and stops."""

    name: str
    log: Path

    @property
    def log_start(self) -> int:
        """Where in the log the present run begins, in bytes."""

    def start(self) -> None:
        """Start it, from the main thread: the tie to the parent holds as long as the thread that made it."""

    def alive(self) -> bool:
        """Whether it runs now."""

    def ending(self) -> str:
        """How it ended, for a line of text: `exit status 1`, `signal SIGKILL`."""

    def ask_to_stop(self) -> None:
        """Ask it to stop, without waiting."""

    def stop(self) -> None:
        """Ask it to stop, wait, and end it by force when it has not stopped by its deadline."""

    def end_by_force(self) -> None:
        """End it at once, without waiting; it may be called from a signal handler."""


class Child:
    """A program in a session of its own, so that Ctrl-C in the terminal reaches only the supervisor.

    Its output is appended to `log`. Should the supervisor die, the kernel sends the child `orphan_signal`.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stop_seconds: float = 15.0,
        orphan_signal: signal.Signals = signal.SIGKILL,
    ) -> None:
        self.name = name
        self.argv = list(argv)
        self.log = log
        self.log_start = 0
        self.env = dict(os.environ if env is None else env)
        self.cwd = cwd
        self.stop_seconds = stop_seconds
        self.orphan_signal = orphan_signal
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process's id, or None before the first start."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the program, and end first what an earlier one left of its process group.

        Raises:
            StartError: the log cannot be written or the program cannot be run.
        """
        if self.alive():
            return
        self.end_by_force()
        leashed = [
            sys.executable,
            "-I",
            "-S",
            leash.__file__,
            str(os.getpid()),
            str(int(self.orphan_signal)),
            *self.argv,
        ]
        try:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            with self.log.open("ab") as output:
                self.log_start = output.tell()
                self._process = subprocess.Popen(
                    leashed,
                    env=self.env,
                    cwd=self.cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as error:
            raise StartError(f"cannot start {self.name}: {error}") from error

    def alive(self) -> bool:
        """Whether the process runs now."""
        return self._process is not None and self._process.poll() is None

    def ending(self) -> str:
        """How the process ended, for a line of text."""
        code = self._process.poll() if self._process else None
        if code is None:
            return "not ended"
        return f"exit status {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"

    def ask_to_stop(self) -> None:
        """Send SIGTERM to the process, without waiting."""
        if self._process and self._process.poll() is None:
            self._process.terminate()

    def stop(self) -> None:
        """SIGTERM, then SIGKILL to the whole process group after `stop_seconds`; returns when the process has ended."""
        if self._process is None:
            return
        self.ask_to_stop()
        self.wait(self.stop_seconds)
        self.kill()

    def kill(self) -> None:
        """SIGKILL to the whole process group; returns when the process has ended."""
        self.end_by_force()
        if self._process is not None:
            self._process.wait()

    def end_by_force(self) -> None:
        """SIGKILL to the whole process group, without waiting."""
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def wait(self, seconds: float) -> bool:
        """Wait until the process has ended, at most so long; whether it has."""
        end = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() >= end:
                return False
            time.sleep(POLL_SECONDS)
        return True
