"""Load by h2load: one body posted over and over, by HTTP/1.1 or 2, by a client that takes next to nothing itself.

It looks at statuses only; where answers have to be looked at too there is `wrk.py`.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

#: Beyond the seconds that are measured.
STOP_SECONDS = 60.0
_RATE = re.compile(r"finished in .*?, ([\d.]+) req/s")
_STATUSES = re.compile(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx")
_MEAN = re.compile(r"time for request: +\S+ +\S+ +([\d.]+)(us|ms|s)")
_MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True)
class Load:
    """What h2load has measured."""

    answers_per_second: float
    mean_ms: float
    #: Answers of any other status than 2xx.
    refused: int


def load(
    url: str, body: bytes, headers: Mapping[str, str], connections: int, seconds: int, *, http2: bool = False
) -> Load:
    """Ask on so many connections at once, one request at a time on each.

    Raises:
        RuntimeError: h2load could not run, or nobody answered.
    """
    with TemporaryDirectory() as folder:
        file = Path(folder) / "body"
        file.write_bytes(body)
        command = ["h2load", "-D", str(seconds), "-c", str(connections), "-d", str(file)]
        command += [] if http2 else ["--h1"]
        for name, value in headers.items():
            command += ["-H", f"{name}: {value}"]
        done = subprocess.run(
            [*command, url], capture_output=True, text=True, timeout=seconds + STOP_SECONDS, check=False
        )
    rate, statuses, mean = (each.search(done.stdout) for each in (_RATE, _STATUSES, _MEAN))
    if done.returncode or rate is None or statuses is None or mean is None:
        raise RuntimeError(f"h2load measured nothing: {done.stdout[-1000:]}{done.stderr[-1000:]}")
    return Load(float(rate[1]), float(mean[1]) * _MILLISECONDS[mean[2]], sum(map(int, statuses.groups()[1:])))
