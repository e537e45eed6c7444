"""Runs faults against a cluster and prints the table: `python -m tests.chaos [--short] [NAME …]`; -h explains."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.chaos.cluster import running_cluster
from tests.chaos.facing import face
from tests.chaos.fault import Fault
from tests.chaos.faults.broker import BlockBroker, KillBroker
from tests.chaos.faults.database import LockSqlite, MoveSqlite
from tests.chaos.faults.gateway import KillGatewayProcess, ReloadGateway
from tests.chaos.faults.poison import PoisonBatch
from tests.chaos.faults.workers import HangWorker, KillWorkers, StopWorker

FAULTS: dict[str, Callable[[], Fault]] = {
    "kill-workers": KillWorkers,
    "stop-worker": StopWorker,
    "hang-worker": HangWorker,
    "kill-broker": KillBroker,
    "kill-gateway": KillGatewayProcess,
    "reload-gateway": ReloadGateway,
    "lock-database": LockSqlite,
    "move-database": MoveSqlite,
    "poison": PoisonBatch,
    "memory-alarm": BlockBroker,
    "disk-alarm": partial(BlockBroker, "disk"),
}


def main() -> None:
    """Face the chosen faults, one after the other, on one cluster."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(FAULTS), metavar="NAME", help=f"of {', '.join(FAULTS)}")
    chosen = parser.parse_args()
    with TemporaryDirectory() as folder, running_cluster(Path(folder)) as cluster:
        for name in chosen.names:
            print(face(cluster, FAULTS[name]()), flush=True)


if __name__ == "__main__":
    main()
