"""What gateway processes hold: memory, threads, descriptors and tasks, before a fuzz and after it."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.support.memory import MEGABYTE
from tests.support.system import System
from tests.support.waiting import wait_until

COUNTED = Path(__file__).parent / "counted"
SIGNAL = signal.SIGRTMIN + 5
SECONDS = 20.0


@dataclass(frozen=True)
class Footprint:
    """What all gateway processes hold together."""

    processes: int
    megabytes: float
    threads: int
    descriptors: int
    tasks: int

    def __str__(self) -> str:
        held = f"{self.megabytes:.0f} MB, {self.threads} threads, {self.descriptors} descriptors"
        return f"{self.processes} processes: {held}, {self.tasks} tasks"


def counting(folder: Path) -> dict[str, str]:
    """The settings with which a gateway tells its tasks."""
    folder.mkdir()
    return {"PYTHONPATH": str(COUNTED), "FUZZ_FOLDER": str(folder), "FUZZ_SIGNAL": str(int(SIGNAL))}


def footprint(system: System) -> Footprint:
    """What they hold now; one process more or less than before is told, too."""
    folder, gunicorn = Path(system.environment["FUZZ_FOLDER"]), psutil.Process(system.gateway.pid)
    servers = [each for each in gunicorn.children() if "gunicorn" in " ".join(each.cmdline())]
    tasks = 0
    for server in servers:
        told = folder / str(server.pid)
        told.unlink(missing_ok=True)
        os.kill(server.pid, SIGNAL)
        wait_until(told.exists, SECONDS, f"{server.pid} tells its tasks")
        tasks += int(told.read_text())
    return Footprint(
        len(servers),
        sum(each.memory_info().rss for each in servers) / MEGABYTE,
        sum(each.num_threads() for each in servers),
        sum(each.num_fds() for each in servers),
        tasks,
    )


def settled(system: System, before: Footprint, connections: int) -> Footprint:
    """The footprint once nothing is left of the cases, or after some seconds."""
    latest = before

    def look() -> bool:
        nonlocal latest
        latest = footprint(system)
        return not kept(before, latest, connections)

    try:
        wait_until(look, SECONDS)
    except AssertionError:
        return latest
    return latest


def kept(before: Footprint, after: Footprint, connections: int) -> list[str]:
    """What was not let go. A gateway keeps a thread, and its connection to the database, for each request at a time."""
    faults = []
    if after.processes != before.processes:
        faults.append(f"{before.processes} processes before, {after.processes} after")
    if after.tasks > before.tasks + 2:
        faults.append(f"{after.tasks - before.tasks} tasks are left")
    if after.threads > before.threads + connections:
        faults.append(f"{after.threads - before.threads} threads are left")
    if after.descriptors > before.descriptors + 4 * connections:
        faults.append(f"{after.descriptors - before.descriptors} descriptors are left")
    if after.megabytes > before.megabytes + 64 * before.processes:
        faults.append(f"{after.megabytes - before.megabytes:.0f} MB are left")
    return faults
