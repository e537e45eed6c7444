"""Load by wrk: one body posted over and over on kept connections, every answer checked by `predict.lua`."""

from __future__ import annotations

import json
import resource
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

SCRIPT = Path(__file__).with_name("predict.lua")
#: An answer later than this counts as an error.
TIMEOUT_SECONDS = 30
STOP_SECONDS = 60.0


@dataclass(frozen=True)
class Question:
    """What is posted, and what has to come back."""

    url: str
    #: A body; or several, one a line, each of them posted on as many connections.
    body: bytes
    #: A Lua pattern that captures the part of the answer that holds the numbers.
    pattern: str
    expected: Sequence[float]
    tolerance: float


@dataclass(frozen=True)
class Load:
    """What wrk has measured; `wrong` answers are among the requests, `errors` are those without an answer."""

    requests: int
    seconds: float
    wrong: int
    errors: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float
    #: One of the wrong answers.
    example: str
    #: What wrk itself took of the processors.
    wrk_cpu_seconds: float

    @property
    def right_per_second(self) -> float:
        """Right answers a second."""
        return (self.requests - self.wrong) / self.seconds


def load(question: Question, connections: int, seconds: float) -> Load:
    """Ask on so many connections at once, for whole seconds, one at least.

    Raises:
        RuntimeError: wrk could not run.
    """
    with TemporaryDirectory() as folder:
        body, expected = Path(folder) / "body", Path(folder) / "expected"
        body.write_bytes(question.body)
        expected.write_text("".join(f"{number!r}\n" for number in question.expected))
        whole_seconds = max(1, round(seconds))
        threads = min(connections, max(2, question.body.count(b"\n") + 1))
        flags = [f"-t{threads}", f"-c{connections}", f"-d{whole_seconds}s", f"--timeout={TIMEOUT_SECONDS}s"]
        arguments = [str(body), question.pattern, str(expected), str(question.tolerance)]
        command = ["wrk", *flags, "-s", str(SCRIPT), question.url, "--", *arguments]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=whole_seconds + STOP_SECONDS, check=False
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise RuntimeError(f"wrk: exit status {done.returncode}: {done.stderr or done.stdout}")
    return read(done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def read(output: str, wrk_cpu_seconds: float = 0.0) -> Load:
    """The numbers in wrk's output."""
    numbers = json.loads(output.splitlines()[-1])
    whole = {name: int(numbers.pop(name)) for name in ("requests", "wrong", "errors")}
    return Load(**whole, **numbers, wrk_cpu_seconds=wrk_cpu_seconds)
