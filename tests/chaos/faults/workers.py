"""Faults of workers: killed, asked to stop, hung."""

from __future__ import annotations

import os
import signal
import time

from tests.chaos.cluster import Cluster
from tests.chaos.fault import Fault


class KillWorkers(Fault):
    """SIGKILL one worker after the other, each restarted by its supervisor."""

    def __init__(self, seconds: float = 60.0, every_seconds: float = 2.0) -> None:
        self.name = f"SIGKILL a worker every {every_seconds:g} s for {seconds:g} s"
        self._seconds = seconds
        self._every_seconds = every_seconds

    def inject(self, cluster: Cluster) -> str:
        before, killed, end = cluster.restarted, 0, time.monotonic() + self._seconds
        while time.monotonic() < end:
            workers = cluster.workers
            workers[killed % len(workers)].kill()
            killed += 1
            cluster.wait(self._every_seconds)
        back = cluster.wait_well()
        return f"{killed} killed, {cluster.restarted - before} restarted; all back {back:.1f} s after the last"


class StopWorker(Fault):
    """SIGTERM to a worker, Celery's warm shutdown; restarted by its supervisor."""

    name = "SIGTERM a worker"

    def inject(self, cluster: Cluster) -> str:
        worker, began = cluster.workers[0], time.monotonic()
        worker.ask_to_stop()
        while worker.alive() and time.monotonic() < began + worker.stop_seconds:
            time.sleep(0.02)
        assert not worker.alive(), f"the worker has not stopped within {worker.stop_seconds:g} s"
        took, ending = time.monotonic() - began, worker.ending()
        assert ending == "exit status 0", ending
        return f"stopped after {took:.1f} s; its successor was there {cluster.wait_well():.1f} s later"


class HangWorker(Fault):
    """SIGSTOP to a worker, and SIGCONT later: it holds batches and its connection, and does nothing."""

    def __init__(self, seconds: float = 20.0) -> None:
        self.name = f"SIGSTOP a worker for {seconds:g} s"
        self._seconds = seconds

    def inject(self, cluster: Cluster) -> str:
        pid = cluster.workers[0].pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            cluster.wait(self._seconds)
        finally:
            os.kill(pid, signal.SIGCONT)
        return f"all workers there {cluster.wait_well():.1f} s after SIGCONT"
