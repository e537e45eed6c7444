"""Lets a cluster face faults under load, and writes what its clients saw into docs/reliability.md: `scripts/chaos`.

The line of a fault that is run again is replaced. The exit status tells whether a request was wrong, or failed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.chaos import table
from tests.chaos.cluster import WORKERS, Cluster, running_cluster
from tests.chaos.facing import CLIENTS, face
from tests.chaos.fault import Fault
from tests.chaos.faults.broker import BlockBroker, KillBroker
from tests.chaos.faults.clock import WrongClock
from tests.chaos.faults.database import HangPostgresql, KillPostgresql, LockSqlite, MoveSqlite
from tests.chaos.faults.disk import FullDisk
from tests.chaos.faults.everything import KillEverything
from tests.chaos.faults.gateway import KillGatewayProcess, ReloadGateway
from tests.chaos.faults.network import CutGateway, CutWorker
from tests.chaos.faults.poison import PoisonBatch
from tests.chaos.faults.workers import HangWorker, KillWorkers, StopWorker
from tests.chaos.table import PAGE
from tests.support.postgresql import PrivatePostgresql, running_postgresql

FAULTS: dict[str, Callable[[], Fault]] = {
    "kill-workers": KillWorkers,
    "stop-worker": StopWorker,
    "hang-worker": HangWorker,
    "cut-worker": CutWorker,
    "cut-gateway": CutGateway,
    "kill-broker": KillBroker,
    "kill-gateway": KillGatewayProcess,
    "reload-gateway": ReloadGateway,
    "lock-database": LockSqlite,
    "move-database": MoveSqlite,
    "poison": PoisonBatch,
    "full-disk": FullDisk,
    "wrong-clock": WrongClock,
    "kill-everything": KillEverything,
    "memory-alarm": BlockBroker,
    "disk-alarm": partial(BlockBroker, "disk"),
}
#: On a cluster whose database is PostgreSQL.
ON_POSTGRESQL: dict[str, Callable[[PrivatePostgresql], Fault]] = {
    "hang-postgresql": HangPostgresql,
    "kill-postgresql": KillPostgresql,
    "kill-everything-postgresql": KillEverything,
}


def main() -> None:
    """Face the chosen faults, one after the other, on one cluster."""
    parser = argparse.ArgumentParser(description=__doc__)
    known = [*FAULTS, *ON_POSTGRESQL]
    parser.add_argument("names", nargs="*", default=known, metavar="NAME", help=f"of {', '.join(known)}")
    parser.add_argument("--workers", type=int, default=WORKERS)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--page", type=Path, default=PAGE, help="whose table is written; default: %(default)s")
    chosen = parser.parse_args()
    unknown = set(chosen.names) - set(known)
    if unknown:
        parser.error(f"no such fault: {', '.join(sorted(unknown))}")
    names = [make().name for make in FAULTS.values()] + [
        make(PrivatePostgresql()).name for make in ON_POSTGRESQL.values()
    ]
    bad = 0
    for cluster, faults in _clusters(chosen.names, chosen.workers):
        for fault in faults:
            faced = face(cluster, fault, chosen.clients)
            print(faced, flush=True)
            table.write([faced], names, chosen.page)
            bad += faced.wrong + (0 if fault.may_fail else faced.failed)
    sys.exit(f"{bad} requests were answered wrongly, or failed" if bad else 0)


def _clusters(names: Sequence[str], workers: int) -> Iterator[tuple[Cluster, list[Fault]]]:
    """A cluster on SQLite, and one on PostgreSQL, each with the faults that it is to face."""
    faults = [FAULTS[name]() for name in names if name in FAULTS]
    if faults:
        with TemporaryDirectory() as folder, running_cluster(Path(folder), workers) as cluster:
            yield cluster, faults
    on_postgresql = [ON_POSTGRESQL[name] for name in names if name in ON_POSTGRESQL]
    if on_postgresql:
        with (
            TemporaryDirectory() as folder,
            running_postgresql() as server,
            running_cluster(Path(folder), workers, database_url=server.url) as cluster,
        ):
            yield cluster, [make(server) for make in on_postgresql]


if __name__ == "__main__":
    main()
