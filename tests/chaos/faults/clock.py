"""A worker whose clock is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from inference.supervision.processes import Child
from tests.chaos.cluster import Cluster
from tests.chaos.fault import Fault
from tests.support.uploads import uploads


def libfaketime() -> Path | None:
    """The library that tells a program another time, or None; Debian's package is `libfaketime`."""
    return next(iter(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)


class WrongClock(Fault):
    """Two more workers, one an hour ahead and one an hour behind: all that they do is as the others do it."""

    name = "two workers' clocks wrong by an hour"

    def __init__(self, offsets: Sequence[str] = ("+1h", "-1h"), seconds: float = 5.0) -> None:
        self._offsets = offsets
        self._seconds = seconds
        self._wrong: list[Child] = []

    def prepare(self, cluster: Cluster) -> None:
        library = libfaketime()
        assert library is not None, "libfaketime is not installed"
        for offset in self._offsets:
            self._wrong.append(
                cluster.system.add_worker(
                    LD_PRELOAD=str(library), FAKETIME=offset, DONT_FAKE_MONOTONIC="1", FAKETIME_DONT_FAKE_MONOTONIC="1"
                )
            )
        cluster.system.wait_for_workers(len(cluster.system.workers))

    def inject(self, cluster: Cluster) -> str:
        answer = cluster.switches.upload(cluster.system.client, uploads(2)[1])
        assert (answer["status"], answer["workers_count"]) == (True, len(cluster.workers)), answer
        cluster.wait(self._seconds)
        status = cluster.system.client.status()
        answered = {worker["worker"]: worker["count_requests_handled"] for worker in status["workers"]}
        assert len(answered) == len(cluster.workers), answered
        assert all(answered.values()), answered
        return "all workers reported the switch, and answered"

    def clear_up(self, cluster: Cluster) -> None:
        for worker in self._wrong:
            worker.stop()
            cluster.system.workers.remove(worker)
