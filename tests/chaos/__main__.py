"""Lets a cluster face faults under load, and writes what its clients saw into docs/reliability.md: `scripts/chaos`.

The line of a fault that is run again is replaced. The exit status tells whether a request was wrong, or failed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.chaos import namespace, table
from tests.chaos.cluster import WORKERS, Cluster, running_cluster
from tests.chaos.facing import CLIENTS, face
from tests.chaos.fault import Fault
from tests.chaos.faults.broker import BlockBroker, KillBroker
from tests.chaos.faults.clock import WrongClock
from tests.chaos.faults.database import HangPostgresql, KillPostgresql, LockSqlite, MoveSqlite
from tests.chaos.faults.disk import FullDisk
from tests.chaos.faults.everything import KillEverything
from tests.chaos.faults.gateway import KillGatewayProcess, ReloadGateway
from tests.chaos.faults.network import CutGateway, CutWorker, DropPackets
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
    "drop-packets": DropPackets,
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
#: These make network namespaces, and so run in one of their own.
ALONE = {"drop-packets"}
KNOWN = [*FAULTS, *ON_POSTGRESQL]


def arguments() -> argparse.Namespace:
    """What is to happen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=KNOWN, metavar="NAME", help=f"of {', '.join(KNOWN)}")
    parser.add_argument("--workers", type=int, default=WORKERS)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--page", type=Path, default=PAGE, help="whose table is written; default: %(default)s")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    unknown = set(chosen.names) - set(KNOWN)
    if unknown:
        parser.error(f"no such fault: {', '.join(sorted(unknown))}")
    return chosen


def face_all(names: Sequence[str], chosen: argparse.Namespace) -> int:
    """Have these faults happen, one after the other; how many requests were answered wrongly, or failed."""
    order = [make().name for make in FAULTS.values()]
    order += [make(PrivatePostgresql()).name for make in ON_POSTGRESQL.values()]
    bad = 0
    for cluster, faults in _clusters(names, chosen.workers):
        for fault in faults:
            faced = face(cluster, fault, chosen.clients)
            print(faced, flush=True)
            table.write([faced], order, chosen.page)
            bad += faced.wrong + (0 if fault.may_fail else faced.failed)
    return bad


def face_alone(name: str, chosen: argparse.Namespace) -> int:
    """Have a fault happen in a namespace of its own; 1 when requests were answered wrongly, or failed."""
    if not namespace.possible():
        print(f"{name} is left out: this machine lets us have no network namespace", flush=True)
        return 0
    options = [f"--workers={chosen.workers}", f"--clients={chosen.clients}", f"--page={chosen.page}", "--alone", name]
    return subprocess.run([*namespace.ALONE, sys.executable, "-m", "tests.chaos", *options], check=False).returncode


def main() -> None:
    """Face the chosen faults."""
    chosen = arguments()
    here = [name for name in chosen.names if chosen.alone or name not in ALONE]
    bad = face_all(here, chosen) if here else 0
    bad += sum(face_alone(name, chosen) for name in chosen.names if name not in here)
    sys.exit("requests were answered wrongly, or failed" if bad else 0)


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
