"""The worker's side of the helper processes that read weights files: starts them, asks them, survives their death.

Each file that is being read has a helper to itself, so a slow one delays no other; idle ones stay warm.
"""

from __future__ import annotations

import json
import selectors
import subprocess
import sys
import threading
from pathlib import Path

from workers.runtime.errors import WeightsError
from workers.runtime.wanted_weights import WantedWeights
from workers.runtime.written_weights import WrittenWeights
from workers.settings import ROOT

HELPER = [sys.executable, "-m", "workers.runtime.read_weights"]
#: Helpers that wait for the next file; more are started when more files come at once.
MAX_IDLE = 2


class HelperError(Exception):
    """What went wrong in the helper process: the trace from there."""


class Helper:
    """One helper process; it reads one file at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            HELPER, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        self.pid = self._process.pid

    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def ask(self, line: str, timeout_seconds: float) -> str:
        """The answer to one line.

        Raises:
            WeightsError: the helper died or took too long; it has been ended.
        """
        process = self._process
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - both are pipes
        try:
            process.stdin.write(line + "\n")
            process.stdin.flush()
        except BrokenPipeError as error:
            raise WeightsError(f"the helper that reads weights files died{self.end()}") from error
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            answered = selector.select(timeout_seconds)
        if not answered:
            self.end()
            raise WeightsError(f"the weights file was not read within {timeout_seconds:g} s")
        answer = process.stdout.readline()
        if not answer:
            raise WeightsError(f"the weights file crashed the helper that read it{self.end()}")
        return answer

    def kill(self) -> None:
        """End the process and leave its pipes to the thread that waits on them: closed, they would not wake it."""
        self._process.kill()

    def end(self) -> str:
        """End the process and say how it ended."""
        self._process.kill()
        code = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    pass  # what it had not read yet
        return f" (signal {-code})" if code < 0 else f" (exit status {code})"


class WeightsFileReader:
    """Owns the helpers: a warm one is started ahead, others when several files are read at once."""

    def __init__(self, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        self._lock = threading.Lock()
        self._idle: list[Helper] = []
        self._busy: set[Helper] = set()
        self._stopped = False

    def start(self) -> None:
        """Start a helper ahead of its first use."""
        self._give_back(self._take())

    def read(self, source: Path, target: Path, wanted: WantedWeights) -> WrittenWeights:
        """Read the file `source` in a helper, which writes what is to be loaded to `target`.

        Raises:
            WeightsError: the file is damaged, holds something else, or crashed the helper.
        """
        request: dict[str, object] = {"source": str(source), "target": str(target), "wanted": wanted.to_json()}
        request["seconds"] = self._timeout_seconds
        helper = self._take()
        try:
            answer = json.loads(helper.ask(json.dumps(request), self._timeout_seconds))
        finally:
            self._give_back(helper)
        if "error" in answer:
            raise WeightsError(f"the weights file cannot be read: {answer['error']}") from HelperError(answer["trace"])
        return WrittenWeights.from_json(answer)

    def stop(self) -> None:
        """End all helpers, also those that read a file."""
        with self._lock:
            self._stopped, idle, busy = True, [*self._idle], [*self._busy]
            self._idle.clear()
        for helper in idle:
            helper.end()
        for helper in busy:
            helper.kill()

    def _take(self) -> Helper:
        with self._lock:
            while self._idle:
                helper = self._idle.pop()
                if helper.alive():
                    break
                helper.end()
            else:
                helper = Helper()
            self._busy.add(helper)
        return helper

    def _give_back(self, helper: Helper) -> None:
        with self._lock:
            self._busy.discard(helper)
            kept = helper.alive() and len(self._idle) < MAX_IDLE and not self._stopped
            if kept:
                self._idle.append(helper)
        if not kept:
            helper.end()
