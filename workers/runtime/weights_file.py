"""The worker's side of the helper process that reads weights files: starts it, asks it, survives its death."""

from __future__ import annotations

import json
import selectors
import subprocess
import sys
import threading
from pathlib import Path

from workers.runtime.errors import WeightsError
from workers.settings import ROOT

HELPER = [sys.executable, "-m", "workers.runtime.clean_hdf5"]


class HelperError(Exception):
    """What went wrong in the helper process: the trace from there."""


class WeightsFileReader:
    """Owns one helper process, started when first needed and again after a crash; used by one load at a time."""

    def __init__(self, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start the helper ahead of its first use."""
        with self._lock:
            self._running()

    def clean(self, source: Path, target: Path, max_bytes: int, arrays: int) -> None:
        """Copy the `arrays` plain arrays of the HDF5 file `source`, of at most `max_bytes` in all, to `target`.

        Raises:
            WeightsError: the file is damaged, holds something else, or crashed the helper.
        """
        request = {"source": str(source), "target": str(target), "max_bytes": max_bytes, "arrays": arrays}
        with self._lock:
            answer = json.loads(self._ask(json.dumps(request)))
        if answer:
            raise WeightsError(f"the weights file cannot be read: {answer['error']}") from HelperError(answer["trace"])

    def stop(self) -> None:
        """End the helper."""
        with self._lock:
            if self._process is not None:
                self._end(self._process)

    def _running(self) -> subprocess.Popen[str]:
        if self._process is not None and self._process.poll() is not None:
            self._end(self._process)
        if self._process is None:
            self._process = subprocess.Popen(HELPER, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self._process

    def _ask(self, line: str) -> str:
        process = self._running()
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - both are pipes
        try:
            process.stdin.write(line + "\n")
            process.stdin.flush()
        except BrokenPipeError as error:
            raise WeightsError(f"the helper that reads weights files died{self._end(process)}") from error
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            answered = selector.select(self._timeout_seconds)
        if not answered:
            self._end(process)
            raise WeightsError(f"the weights file was not read within {self._timeout_seconds:g} s")
        answer = process.stdout.readline()
        if not answer:
            raise WeightsError(f"the weights file crashed the helper that read it{self._end(process)}")
        return answer

    def _end(self, process: subprocess.Popen[str]) -> str:
        """End the process and say how it ended."""
        process.kill()
        code = process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        self._process = None
        return f" (signal {-code})" if code < 0 else f" (exit status {code})"
