"""Lets a cluster face faults under load, and writes what its clients saw into docs/reliability.md: `scripts/chaos`.

The line of a fault that is run again is replaced. The exit status tells whether a request was wrong, or failed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.chaos import namespace, table
from tests.chaos.cluster import WORKERS, running_cluster
from tests.chaos.facing import CLIENTS, face
from tests.chaos.fault import Fault
from tests.chaos.faults.broker import BlockBroker, KillBroker
from tests.chaos.faults.network import CutGateway, CutWorker, DropPackets
from tests.chaos.faults.workers import HangWorker, KillWorkers, StopWorker
from tests.chaos.table import PAGE

FAULTS: dict[str, Callable[[], Fault]] = {
    "kill-workers": KillWorkers,
    "stop-worker": StopWorker,
    "hang-worker": HangWorker,
    "cut-worker": CutWorker,
    "cut-gateway": CutGateway,
    "drop-packets": DropPackets,
    "kill-broker": KillBroker,
    "memory-alarm": BlockBroker,
    "disk-alarm": partial(BlockBroker, "disk"),
}


#: These make network namespaces, and so run in one of their own.
ALONE = {"drop-packets"}


def arguments() -> argparse.Namespace:
    """What is to happen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"all of them unless named: {', '.join(FAULTS)}")
    parser.add_argument("--workers", type=int, default=WORKERS)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--page", type=Path, default=PAGE, help="whose table is written; default: %(default)s")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    unknown = set(chosen.names) - FAULTS.keys()
    if unknown:
        parser.error(f"no such fault: {', '.join(sorted(unknown))}")
    return chosen


def face_all(names: Sequence[str], chosen: argparse.Namespace) -> int:
    """Have these faults happen, one after the other; how many requests were answered wrongly, or failed."""
    bad = 0
    with TemporaryDirectory() as folder, running_cluster(Path(folder), chosen.workers) as cluster:
        for name in names:
            faced = face(cluster, FAULTS[name](), chosen.clients)
            print(faced, flush=True)
            table.write([faced], [make().name for make in FAULTS.values()], chosen.page)
            bad += faced.wrong + faced.failed
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
    names = chosen.names or list(FAULTS)
    here = [name for name in names if chosen.alone or name not in ALONE]
    bad = face_all(here, chosen) if here else 0
    bad += sum(face_alone(name, chosen) for name in names if name not in here)
    sys.exit("requests were answered wrongly, or failed" if bad else 0)


if __name__ == "__main__":
    main()
