"""A network whose larger batches take more memory than a worker has, and what ends a worker that takes too much."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from inference.supervision.processes import Child
from workers.runtime.backend import keras

NN_ID = "b" * 32
#: Every row takes 2.4 MB on its way: one is harmless, 400 are a GB.
REPEATS = 200_000
DEADLY_ROWS = 400
#: What a worker may take beside what the largest took before.
SPARE_BYTES = 150 * 1024**2
LOOK_SECONDS = 0.02


def poison_archive() -> bytes:
    """The network as a `.keras` archive: the sum of many copies of a row."""
    rows = keras.Input((2,))
    repeated = keras.layers.RepeatVector(REPEATS)(rows)
    pooled = keras.layers.GlobalAveragePooling1D()(keras.layers.Dense(1)(repeated))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "poison.keras"
        keras.Model(rows, pooled).save(path)
        return path.read_bytes()


def deadly_request() -> dict[str, Any]:
    """A body of /predict that no worker survives."""
    return {"nn_id": NN_ID, "data": [[0.1, 0.2]] * DEADLY_ROWS}


def harmless_request() -> dict[str, Any]:
    """A body of /predict for the same network that every worker answers."""
    return {"nn_id": NN_ID, "vector": [0.1, 0.2]}


class MemoryKiller:
    """Ends workers that take too much memory with SIGKILL, as the kernel does when there is none left."""

    def __init__(self, workers: Callable[[], Sequence[Child]]) -> None:
        self.killed: set[int] = set()
        self._workers = workers
        self._allowed = max(_memory(worker.pid) for worker in workers()) + SPARE_BYTES
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory killer", daemon=True)

    def __enter__(self) -> MemoryKiller:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            for pid in [worker.pid for worker in self._workers()]:
                if pid not in self.killed and _memory(pid) > self._allowed:
                    assert pid is not None
                    os.kill(pid, signal.SIGKILL)
                    self.killed.add(pid)


def _memory(pid: int | None) -> int:
    """Resident bytes; 0 of a process that has ended."""
    with suppress(psutil.Error):
        return int(psutil.Process(pid).memory_info().rss)
    return 0
