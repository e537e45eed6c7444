"""Two workers against one with a network that takes its time, and the service against its own compiled function.

Run it with `scripts/bench scale`. The first network is sized here until a call takes ten milliseconds of one core.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory

from tests.benchmarks.dense_network import Direct, direct, rows, save
from tests.benchmarks.report import Row, parser, report
from tests.benchmarks.systems import at
from tests.benchmarks.wrk import Load, Question, load
from tests.support.own_node import running_system
from tests.support.system import System

CALL_MS, CLOSE_ENOUGH, CALIBRATIONS = 10.0, 0.05, 5
#: Wide enough that a core computes, narrow enough that two cores do not wait for one memory.
UNITS, FIRST_LAYERS, ROWS = 512, 8, 64
LARGE_LAYERS, LARGE_UNITS, LARGE_ROWS = 4, 2048, 32
#: Each connection asks a network of its own, so that no two requests share a batch. What the batches held is shown.
CONNECTIONS = 4
NN_IDS = [f"{'5ca1e' * 6}0{number}" for number in range(CONNECTIONS)]
#: A worker that computes one batch at a time has one core for it.
ONE_AT_A_TIME = {"PIPELINE_WORKER_CONCURRENCY": "1", "PIPELINE_WORKER_TENSORFLOW_THREADS": "1"}


@dataclass(frozen=True)
class Network:
    """A network in a folder, how many rows it is asked at once, and what it does by itself."""

    folder: Path
    rows_count: int
    alone: Direct

    def question(self, system: System, networks: int) -> Question:
        """Its rows, asked of so many networks that are the same, and what it computed by itself."""
        bodies = [json.dumps({"nn_id": nn_id, "data": rows(self.rows_count).tolist()}) for nn_id in NN_IDS[:networks]]
        body = "\n".join(bodies).encode()
        largest = max(abs(number) for number in self.alone.answers)
        return replace(
            at(system.url), body=body, pattern='"result":(%b[])', expected=self.alone.answers, tolerance=largest / 1000
        )


def calibrated(folder: Path, seconds: float) -> Network:
    """A network whose call takes about CALL_MS of one core."""
    layers = FIRST_LAYERS
    for _ in range(CALIBRATIONS):
        save(folder, layers, UNITS)
        alone = direct(folder, ROWS, seconds, 1)
        if abs(alone.call_ms / CALL_MS - 1) <= CLOSE_ENOUGH:
            break
        layers = max(1, round(layers * CALL_MS / alone.call_ms))
    return Network(folder, ROWS, alone)


@contextmanager
def serving(network: Network, workers: int, **environment: str) -> Iterator[System]:
    """A cluster that has the network loaded."""
    with running_system(0) as system:
        for _ in range(workers):
            system.add_worker(**environment)
        system.wait_for_workers(workers)
        archive = (network.folder / "network.keras").read_bytes()
        for nn_id in NN_IDS:
            assert system.client.set_weights(nn_id, "network.keras", archive)["status"]
        yield system


def measure(system: System, network: Network, connections: int, seconds: int, networks: int = 1) -> tuple[Load, float]:
    """The load, and how many rows a batch had on average."""
    load(network.question(system, networks), connections, 2)
    measured = load(network.question(system, networks), connections, seconds)
    return measured, mean(last_timings(system, "batch_rows"))


def last_timings(system: System, field: str) -> list[float]:
    """What the last requests' timings have there."""
    found: list[float] = system.query(
        f"[*PredictionTiming.objects.order_by('-id').values_list('{field}', flat=True)[:200]]"
    )
    return found


def line(what: str, measured: Load, batch_rows: float, **more: str | float) -> Row:
    """A line of the table."""
    return {
        "what": what,
        "requests/s": measured.right_per_second,
        "p50 ms": measured.p50_ms,
        "p99 ms": measured.p99_ms,
        "rows a batch": batch_rows,
        "wrong or none": measured.wrong + measured.errors,
        "ratio": more.get("ratio", ""),
    }


def alone(what: str, network: Network, it: Direct) -> Row:
    """A line about the function by itself."""
    nothing = Load(0, 1.0, 0, 0, it.call_ms, 0.0, 0.0, 0.0, "", 0.0)
    return line(what, nothing, network.rows_count) | {"requests/s": it.calls_per_second, "p99 ms": ""}


def two_against_one(folder: Path, seconds: int) -> list[Row]:
    """Throughput of one and of two workers, and what the gateway adds to one request's time."""
    network = calibrated(folder, 3.0)
    found = [alone("10 ms network: the function in a loop, one core", network, network.alone)]
    single: Load | None = None
    for workers in (1, 2):
        with serving(network, workers, **ONE_AT_A_TIME) as system:
            if single is None:
                one, batch_rows = measure(system, network, 1, seconds)
                in_worker = median(last_timings(system, "inference_ms"))
                ratio = f"{one.p50_ms - in_worker:+.2f} ms over the call in the worker, which takes {in_worker:.1f} ms"
                found.append(line("workers: 1, connections: 1", one, batch_rows, ratio=ratio))
            measured, batch_rows = measure(system, network, CONNECTIONS, seconds, CONNECTIONS)
            single = single or measured
            ratio = f"{measured.right_per_second / single.right_per_second:.2f} of one worker"
            found.append(line(f"workers: {workers}, connections: {CONNECTIONS}", measured, batch_rows, ratio=ratio))
    return found


def service_against_function(folder: Path, seconds: int) -> list[Row]:
    """Rows a second of the whole service and of the compiled function in one process, by one core and by all."""
    save(folder, LARGE_LAYERS, LARGE_UNITS)
    cores = os.cpu_count() or 1
    loops = {threads: direct(folder, LARGE_ROWS, seconds, threads) for threads in {1, cores}}
    network = Network(folder, LARGE_ROWS, loops[1])
    what = f"{LARGE_LAYERS} layers of {LARGE_UNITS}"
    found = [alone(f"{what}: the function in a loop, {threads} threads", network, it) for threads, it in loops.items()]
    with serving(network, 1) as system:
        for connections in (1, 8, 16):
            measured, batch_rows = measure(system, network, connections, seconds)
            shares = [f"{measured.right_per_second / it.calls_per_second:.2f}" for it in loops.values()]
            ratio = f"{' / '.join(shares)} of the loops"
            found.append(line(f"{what}; workers: 1, connections: {connections}", measured, batch_rows, ratio=ratio))
    return found


def main() -> None:
    """Measure and report."""
    options = parser(__doc__)
    options.add_argument("--seconds", type=int, default=10, help="of each measurement; default: %(default)s")
    chosen = options.parse_args()
    with TemporaryDirectory() as folder:
        found = two_against_one(Path(folder), chosen.seconds)
    with TemporaryDirectory() as folder:
        found += service_against_function(Path(folder), chosen.seconds)
    report("scale", found, chosen.out)


if __name__ == "__main__":
    main()
