"""Ten times as many requests as the cluster can answer: `python -m tests.chaos.overload [--seconds 120]`; -h explains.

One worker computes a network of Dense layers that is large enough for its rate to be a tenth of what this machine can
send, and every answer is held against numpy. First the sustainable rate is measured (closed loop), then ten times
that rate is sent on a thousand connections, then the sustainable rate is measured again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import psutil

from tests.chaos.overload_clients import Config, Seen
from tests.support.own_node import running_node
from tests.support.samples import samples
from tests.support.system import System
from workers.settings import ROOT

LAYERS, UNITS = 3, 2048
ROWS_A_REQUEST = 30
REQUESTS = 50
TIMES = 10
CONNECTIONS = 1000
#: Connections of the closed loop that finds the sustainable rate.
CALM_CONNECTIONS = 64
CALM_SECONDS = 6.0
#: The promise to an accepted request, in times that the fleet takes for as many as may be held: see docs/overload.md.
BOUND_TURNS = 3
NN_ID = "0" * 32
MORE_SECONDS = 120.0


@dataclass(frozen=True)
class Overload:
    """What an overload came to; times are in milliseconds."""

    sustainable: float
    sent_a_second: float
    accepted_a_second: float
    seen: Seen
    accepted_p99_ms: float
    refused_median_ms: float
    refused_p99_ms: float
    #: What an accepted request's p99 is promised to stay under.
    bound_ms: float
    #: The gateway processes' memory after a fifth of the load, and at its end, in MB.
    memory_early: float
    memory_late: float
    #: What was held when the load ended, answers a second; and what a closed loop has from a second after on.
    drained_a_second: float
    sustainable_after: float

    def __str__(self) -> str:
        seen = self.seen
        return "\n".join(
            [
                f"sustainable {self.sustainable:.0f}/s; sent {self.sent_a_second:.0f}/s for {seen.seconds:.0f} s on "
                f"{CONNECTIONS} connections ({seen.unsent} not, for want of a free one)",
                f"{seen.sent} sent, {seen.right} right ({self.accepted_a_second:.0f}/s), {seen.wrong} wrong, "
                f"{seen.refused} refused, {seen.failed} failed",
                f"accepted: p99 {self.accepted_p99_ms:.0f} ms (bound {self.bound_ms:.0f}); refused: median "
                f"{self.refused_median_ms:.1f} ms, p99 {self.refused_p99_ms:.1f} ms",
                f"gateway memory {self.memory_early:.0f} MB after a fifth, {self.memory_late:.0f} MB at the end",
                f"when the load had ended, what was held was answered at {self.drained_a_second:.0f}/s; right after "
                f"the last answer {self.sustainable_after:.0f}/s",
                *seen.bad,
            ]
        )


class Overloaded:
    """A system whose network is large enough to be overloaded from this machine."""

    def __init__(self, system: System, folder: Path, bodies: list[Any], answers: list[Any]) -> None:
        self.system = system
        self._folder = folder
        self._bodies, self._answers = bodies, answers

    def send(self, connections: int, seconds: float, rate: float = 0.0) -> Seen:
        """Send from a process of its own, and what it saw."""
        config = Config(self.system.url, connections, seconds, rate, self._bodies, self._answers)
        path = self._folder / "clients.json"
        path.write_text(json.dumps(asdict(config)))
        done = subprocess.run(
            [sys.executable, "-m", "tests.chaos.overload_clients", str(path)],
            cwd=ROOT,
            capture_output=True,
            timeout=seconds + MORE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return Seen(**json.loads(done.stdout))

    def calm_rate(self) -> float:
        """Answers a second to a few clients that wait for each."""
        seen = self.send(CALM_CONNECTIONS, CALM_SECONDS)
        assert (seen.wrong, seen.failed) == (0, 0), seen.bad
        late = [at for at in seen.answered_at if 1.0 < at < CALM_SECONDS]
        return len(late) / (CALM_SECONDS - 1.0)

    def overload(self, seconds: float) -> Overload:
        """Send ten times the sustainable rate for so long."""
        self.send(CALM_CONNECTIONS, 1.0)  # the first ones find nothing ready
        sustainable = self.calm_rate()
        status = self.system.client.status(30.0)
        with watched_memory(self.system) as memory:
            seen = self.send(CONNECTIONS, seconds, sustainable * TIMES)
        return Overload(
            sustainable=sustainable,
            sent_a_second=seen.sent / seen.seconds,
            accepted_a_second=seen.right / seen.seconds,
            seen=seen,
            accepted_p99_ms=float(np.percentile(seen.accepted_ms, 99)),
            refused_median_ms=float(np.median(seen.refused_ms)),
            refused_p99_ms=float(np.percentile(seen.refused_ms, 99)),
            bound_ms=BOUND_TURNS * status["queue_requests_max"] / sustainable * 1000,
            memory_early=memory[len(memory) // 5],
            memory_late=memory[-1],
            drained_a_second=_drained_a_second(seen),
            sustainable_after=self.calm_rate(),
        )


def _drained_a_second(seen: Seen) -> float:
    """Right answers a second from the load's end until the last of them."""
    drained = [at - seen.seconds for at in seen.answered_at if at > seen.seconds]
    return len(drained) / max(drained, default=1.0)


@contextmanager
def overloaded(folder: Path, **settings: str) -> Iterator[Overloaded]:
    """Two gateway processes and one worker on a node of their own, with the large network."""
    with running_node(folder / "rabbitmq") as node:
        system = System(folder / "system", node.url, **settings)
        try:
            system.start(0)
            system.add_worker(PIPELINE_WORKER_CONCURRENCY="1")
            system.wait_for_workers(1)
            bodies, answers = load_network(system, folder)
            yield Overloaded(system, folder, bodies, answers)
        finally:
            system.stop()


def load_network(system: System, folder: Path) -> tuple[list[Any], list[Any]]:
    """Make a dense network active; bodies of /predict, and what it answers by numpy."""
    from tests.benchmarks.dense_network import save
    from workers.runtime.backend import keras

    path = save(folder, LAYERS, UNITS)
    loaded = system.client.set_weights(NN_ID, path.name, path.read_bytes())
    assert loaded["status"] is True, loaded
    layers = [layer.get_weights() for layer in keras.models.load_model(path).layers]
    asked = np.random.default_rng(3).uniform(0, 1, (REQUESTS, ROWS_A_REQUEST, 2)).round(4).astype(np.float32)
    values = asked
    for kernel, bias in layers[:-1]:
        values = np.maximum(values @ kernel + bias, 0)
    kernel, bias = layers[-1]
    return [{"data": rows} for rows in asked.tolist()], (values @ kernel + bias)[:, :, 0].tolist()


def load_sample(system: System) -> tuple[list[Any], list[Any]]:
    """Make the tiny default network active; bodies of /predict, and about what it answers."""
    system.load_first_sample()
    asked = samples()[0]
    assert asked.nn_id
    rows = np.random.default_rng(3).uniform(0.1, 0.9, (REQUESTS, 2)).round(3).tolist()
    return [{"vector": row} for row in rows], [system.client.predict(row)["result"] for row in rows]


@contextmanager
def watched_memory(system: System) -> Iterator[list[float]]:
    """The gateway processes' memory in MB, looked at four times a second for the length of a block."""
    seen: list[float] = []
    enough = threading.Event()
    assert system.gateway.pid is not None
    main = psutil.Process(system.gateway.pid)
    processes = [main, *main.children(recursive=True)]

    def look() -> None:
        while not enough.wait(0.25):
            seen.append(sum(each.memory_info().rss for each in processes) / 1e6)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        enough.set()
        thread.join(5.0)


def main() -> None:
    """Overload a cluster, and print what it came to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0, help="how long the load lasts (default 120)")
    parser.add_argument(
        "--closed-loop",
        action="store_true",
        help="instead: a thousand connections that send as fast as they are answered, by the tiny default network",
    )
    chosen = parser.parse_args()
    with TemporaryDirectory() as folder, overloaded(Path(folder)) as running:
        if not chosen.closed_loop:
            print(running.overload(chosen.seconds))
            return
        running = Overloaded(running.system, Path(folder), *load_sample(running.system))
        seen = running.send(CONNECTIONS, chosen.seconds)
        accepted, refused = (np.percentile(each or [0.0], [50, 99]) for each in (seen.accepted_ms, seen.refused_ms))
        print(f"{seen.right / seen.seconds:.0f} right and {seen.refused / seen.seconds:.0f} refused a second,")
        print(f"{seen.wrong} wrong, {seen.failed} failed, {seen.bad}; median and p99 in ms:")
        print(f"accepted {accepted.round(1).tolist()}, refused {refused.round(1).tolist()}")


if __name__ == "__main__":
    main()
