"""Faults of workers: killed, asked to stop, hung."""

from __future__ import annotations

import os
import signal
import time
from functools import partial

from inference.supervision.processes import Child
from tests.chaos.cluster import Cluster
from tests.chaos.fault import Fault
from workers.broker.connection import HEARTBEAT_SECONDS

#: RabbitMQ gives a silent connection up after two to three heartbeats; and a second for this machine.
SILENT_SECONDS_MAX = 3 * HEARTBEAT_SECONDS + 1.0


class KillWorkers(Fault):
    """SIGKILL one worker after the other as soon as it serves, each restarted by its supervisor."""

    def __init__(self, seconds: float = 60.0, every_seconds: float = 2.0, *, spare: int = 0) -> None:
        """`spare` others serve whenever one is killed: on a machine where a start takes as long as a request may."""
        self.name = f"SIGKILL a worker every {every_seconds:g} s for {seconds:g} s"
        self._seconds = seconds
        self._every_seconds = every_seconds
        self._spare = spare

    def inject(self, cluster: Cluster) -> str:
        killed, end = 0, time.monotonic() + self._seconds
        while time.monotonic() < end:
            # One that still starts serves nobody: killing it again and again would only keep it from ever serving.
            enough = cluster.wait_until(partial(self._serving, cluster), 60.0, "enough workers serve")
            enough[killed % len(enough)].kill()
            killed += 1
            cluster.wait(self._every_seconds)
        return f"{killed} killed; all back {cluster.wait_well():.1f} s after the last"

    def _serving(self, cluster: Cluster) -> list[Child]:
        serving = [worker for worker in cluster.workers if serves(worker)]
        return serving if len(serving) > self._spare else []


def serves(worker: Child) -> bool:
    """Whether a worker says that it is ready, and has not ended since."""
    return worker.alive() and b" ready." in worker.log.read_bytes()[worker.log_start :]


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
        worker, stopped = cluster.workers[0], time.monotonic()
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGSTOP)
        try:
            noticed = cluster.wait_given_up(worker.name)
            assert noticed < SILENT_SECONDS_MAX, f"RabbitMQ gave a hung worker up after {noticed:.1f} s"
            cluster.wait(stopped + self._seconds - time.monotonic())
        finally:
            os.kill(worker.pid, signal.SIGCONT)
        back = cluster.wait_well()
        return f"its batches went to others after {noticed:.1f} s; it was back {back:.1f} s after SIGCONT"
