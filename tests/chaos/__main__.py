"""Lets a cluster face faults under load, and writes what its clients saw into docs/reliability.md: `scripts/chaos`.

The line of a fault that is run again is replaced. The exit status tells whether a request was wrong, or failed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.chaos import table
from tests.chaos.cluster import WORKERS, running_cluster
from tests.chaos.facing import CLIENTS, face
from tests.chaos.fault import Fault
from tests.chaos.faults.broker import BlockBroker, KillBroker
from tests.chaos.faults.network import CutGateway, CutWorker
from tests.chaos.faults.poison import PoisonBatch
from tests.chaos.faults.workers import HangWorker, KillWorkers, StopWorker
from tests.chaos.table import PAGE

FAULTS: dict[str, Callable[[], Fault]] = {
    "kill-workers": KillWorkers,
    "stop-worker": StopWorker,
    "hang-worker": HangWorker,
    "cut-worker": CutWorker,
    "cut-gateway": CutGateway,
    "kill-broker": KillBroker,
    "memory-alarm": BlockBroker,
    "disk-alarm": partial(BlockBroker, "disk"),
    "poison": PoisonBatch,
}


def main() -> None:
    """Face the chosen faults, one after the other, on one cluster."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(FAULTS), metavar="NAME", help=f"of {', '.join(FAULTS)}")
    parser.add_argument("--workers", type=int, default=WORKERS)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--page", type=Path, default=PAGE, help="whose table is written; default: %(default)s")
    chosen = parser.parse_args()
    unknown = set(chosen.names) - FAULTS.keys()
    if unknown:
        parser.error(f"no such fault: {', '.join(sorted(unknown))}")
    bad = 0
    with TemporaryDirectory() as folder, running_cluster(Path(folder), chosen.workers) as cluster:
        for name in chosen.names:
            faced = face(cluster, FAULTS[name](), chosen.clients)
            print(faced, flush=True)
            table.write([faced], [make().name for make in FAULTS.values()], chosen.page)
            bad += faced.wrong + faced.failed
    sys.exit(f"{bad} requests were answered wrongly, or failed" if bad else 0)


if __name__ == "__main__":
    main()
