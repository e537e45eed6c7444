"""A network of 200 MB goes to three workers on a private RabbitMQ while eight clients predict with a small one.

Run it with `scripts/bench large_weights [MEGABYTES]`; it takes two minutes and prints the times,
the memory, and the small predictions' latencies with and without the large network on its way.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import Any

import numpy as np

from inference.client.http_client import PipelineClient
from tests.support.large_network import LARGE_NN_ID, save_large_network
from tests.support.memory import PeakMemory, family
from tests.support.own_node import running_system
from tests.support.samples import samples
from tests.support.system import System

WORKERS = 3
CLIENTS = 8
QUIET_SECONDS = 8.0
#: A pause between a client's requests: the machine is to be used, not filled.
PAUSE_SECONDS = 0.01


class SmallPredictions:
    """Clients that predict with whatever network is the default one; times are kept of the small one's answers."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._ended = threading.Event()
        self.times: list[float] = []
        self.failed = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Predict as long as the block runs."""
        threads = [threading.Thread(target=self._predict) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ended.set()
            for thread in threads:
                thread.join(60)

    def _predict(self) -> None:
        client = PipelineClient(self._url, 60.0)
        while not self._ended.wait(PAUSE_SECONDS):
            started = perf_counter()
            answer = client.predict([0.1, 0.2])
            if answer["message"] == samples()[0].nn_id:
                self.times.append((perf_counter() - started) * 1000)
            elif answer["message"] != LARGE_NN_ID:
                self.failed += 1

    def latencies(self) -> str:
        """Their number and percentiles."""
        p50, p99, longest = np.percentile(self.times, [50, 99, 100])
        spread = f"p50 {p50:6.1f}, p99 {p99:6.1f}, max {longest:6.1f} ms"
        return f"{len(self.times):6} predictions, {spread}, failed {self.failed}"


def curl(url: str, nn_id: str, file: Path) -> dict[str, Any]:
    """Upload as a user does."""
    form = ["-F", f"nn_id={nn_id}", "-F", f"data=@{file};type=application/octet-stream"]
    command = ["curl", "-sS", "-X", "PUT", f"{url}/set_weights", "-H", "Expect:", *form]
    answer: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=300).stdout)
    return answer


def rates(system: System) -> list[float]:
    """Megabytes a second of every file of some size that a worker has fetched, from their logs."""
    logs = "".join(log.read_text() for log in system.directory.glob("log/worker-*.log"))
    found = re.findall(r"Fetched \S+: (\d+) bytes in ([\d.]+) s", logs)
    return [int(size) / float(seconds) / 1e6 for size, seconds in found if int(size) > 10_000_000]


def measure(system: System, what: str, file: Path) -> None:
    """One upload among small predictions; then the small network is the default one again."""
    sample = samples()[0]
    system.client.set_weights(sample.nn_id, sample.file.name, sample.file.read_bytes())
    quiet = SmallPredictions(system.url)
    with quiet.running():
        sleep(QUIET_SECONDS)
    busy, known = SmallPredictions(system.url), len(rates(system))
    memory = PeakMemory(
        gateway=lambda: family(system.gateway.pid or 0),
        workers=lambda: [worker.pid or 0 for worker in system.workers],
        helpers=lambda: [pid for worker in system.workers for pid in family(worker.pid or 0)[1:]],
    )
    with busy.running(), memory:
        started = perf_counter()
        answer = curl(system.url, LARGE_NN_ID, file)
        seconds = perf_counter() - started
    print(f"{what}: {file.stat().st_size / 1e6:.0f} MB, {answer['message']}, {seconds:.1f} s from upload to switch")
    took = system.query("sorted(WorkerReport.objects.order_by('-id').values_list('seconds', flat=True)[:3])")
    print(f"  workers' reports after {', '.join(f'{each:.1f}' for each in took)} s", end="")
    fetched = rates(system)[known:]
    print(f"; fetched at {median(fetched):.0f} MB/s each" if fetched else "")
    after = memory.now()
    for name, before in memory.before.items():
        print(f"  RSS of {name:8} before {before:6.0f}, peak {memory.peak[name]:6.0f}, after {after[name]:6.0f} MB")
    print(f"  without: {quiet.latencies()}\n  during:  {busy.latencies()}", flush=True)


def main() -> None:
    """Measure and print."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with TemporaryDirectory() as folder:
        raw, text = Path(folder) / "large.keras", Path(folder) / "large.b64"
        save_large_network(raw, megabytes)
        with running_system(WORKERS) as system:
            measure(system, "raw", raw)
            # Other bytes, so that neither the database nor a worker has them: the name of the network is in the file.
            save_large_network(raw, megabytes)
            text.write_bytes(base64.b64encode(raw.read_bytes()))
            raw.unlink()
            measure(system, "base64", text)


if __name__ == "__main__":
    main()
