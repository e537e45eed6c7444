"""The helper processes that read weights files for a worker: stopped, they hold up what is loaded, and nothing else."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from inference.supervision.processes import Child
from tests.support.system import System


@contextmanager
def readers_stopped(system: System, *which: Child) -> Iterator[None]:
    """The readers of these workers, or of all, stand while the block runs."""
    children = which or (*system.workers, system.gateway)
    roots = [psutil.Process(child.pid) for child in children if child.alive()]
    everybody = [process for root in roots for process in root.children(recursive=True)]
    readers = [process for process in everybody if "workers.runtime.read_weights" in process.cmdline()]
    assert readers, "no worker has a reader: has it loaded anything yet?"
    for reader in readers:
        reader.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for reader in readers:
            if reader.is_running():
                reader.send_signal(signal.SIGCONT)
