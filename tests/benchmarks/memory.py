"""How much memory each process takes, idle and after load, and how soon the embedded form answers.

Run it with `scripts/bench memory`.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from inference.client.http_client import ClientError, PipelineClient
from inference.supervision.addresses import LOOPBACK, Bind, free_ports
from inference.supervision.processes import Child
from tests.benchmarks.report import Row, parser, report
from tests.benchmarks.systems import at, load_sample
from tests.benchmarks.wrk import load
from tests.support.own_node import running_system
from tests.support.switching import memory_megabytes
from tests.support.system import clean_environment
from tests.support.waiting import wait_until
from workers.settings import ROOT

STARTS = 4
LOAD_SECONDS = 10


def start_and_answer(data_dir: Path) -> float:
    """Seconds from the start of scripts/serve's program to its first right answer."""
    bind = Bind(LOOPBACK, free_ports(1)[0])
    flags = ["--bind", str(bind), "--data-dir", str(data_dir)]
    service = Child(
        "serve",
        [sys.executable, "-m", "inference.supervision", "serve", *flags],
        log=data_dir / "serve.out",
        env=clean_environment() | {"BROKER_URL": "", "DATABASE_URL": ""},
        cwd=ROOT,
        stop_seconds=60.0,
    )
    client = PipelineClient(bind.url, 10.0)

    def answers() -> bool:
        with suppress(ClientError):
            return abs(float(client.predict([0.3, 0.7])["result"]) - 1.0) <= 0.01
        return False

    started = perf_counter()
    service.start()
    try:
        wait_until(answers, 120.0, "the embedded form answers")
        return perf_counter() - started
    finally:
        service.stop()


def starts() -> list[Row]:
    """A first start with an empty database, and later ones."""
    with TemporaryDirectory() as folder:
        return [
            {"what": "embedded: start to first answer, s", "when": f"start {number + 1}", "is": seconds}
            for number, seconds in enumerate(start_and_answer(Path(folder)) for _ in range(STARTS))
        ]


def sizes() -> list[Row]:
    """The resident memory of a cluster's processes, in MiB."""
    with running_system(1) as system:
        load_sample(system)
        load(at(system.url), 1, 1)
        idle = memory_megabytes(system)
        load(at(system.url), 64, LOAD_SECONDS)
        later = memory_megabytes(system)
    looks = (("idle", idle), (f"after {LOAD_SECONDS} s at 64 connections", later))
    return [
        {"what": f"{name}: RSS, MiB", "when": when, "is": each} for when, look in looks for name, each in look.items()
    ]


def main() -> None:
    """Measure and report."""
    chosen = parser(__doc__).parse_args()
    report("memory", [*starts(), *sizes()], chosen.out)


if __name__ == "__main__":
    main()
