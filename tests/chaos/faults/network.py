"""Faults of the network: connections to the broker that are cut without either end being told."""

from __future__ import annotations

import time

from inference.supervision.processes import Child
from tests.chaos.cluster import Cluster
from tests.chaos.fault import Fault
from tests.chaos.faults.workers import SILENT_SECONDS_MAX
from tests.chaos.wire import Wire


class CutWorker(Fault):
    """A worker's connections to the broker are cut."""

    def __init__(self, seconds: float = 20.0) -> None:
        self.name = f"a worker's connections cut without a FIN for {seconds:g} s"
        self._seconds = seconds
        self._wire: Wire | None = None
        self._worker: Child | None = None

    def prepare(self, cluster: Cluster) -> None:
        self._wire = Wire(cluster.node.port).__enter__()
        self._worker = cluster.system.add_worker(BROKER_URL=self._wire.url)
        cluster.wait_well()

    def inject(self, cluster: Cluster) -> str:
        assert self._wire is not None
        cut = time.monotonic()
        self._wire.cut()
        noticed = cluster.wait_given_up("the worker that is cut off")
        assert noticed < SILENT_SECONDS_MAX, f"RabbitMQ gave the worker up after {noticed:.1f} s"
        cluster.wait(cut + self._seconds - time.monotonic())
        self._wire.mend()
        back = cluster.wait_well()
        return f"its batches went to others after {noticed:.1f} s; it was back {back:.1f} s after the cut was mended"

    def clear_up(self, cluster: Cluster) -> None:
        if self._worker:
            cluster.given_up.add(self._worker)
            self._worker.kill()
        if self._wire:
            self._wire.__exit__(None, None, None)


class CutGateway(Fault):
    """A gateway's connections to the broker are cut: its clients wait, and other gateways' notice nothing."""

    def __init__(self, seconds: float = 10.0) -> None:
        self.name = f"a gateway's connections cut without a FIN for {seconds:g} s"
        self._seconds = seconds
        self._wire: Wire | None = None
        self._urls: list[str] = []

    def prepare(self, cluster: Cluster) -> None:
        self._wire = Wire(cluster.node.port).__enter__()
        self._urls = cluster.urls
        cluster.urls = [*self._urls, cluster.system.add_gateway(BROKER_URL=self._wire.url).url]

    def inject(self, cluster: Cluster) -> str:
        assert self._wire is not None
        cut = time.monotonic()
        log = cluster.system.more_gateways[-1].log
        said = log.stat().st_size
        self._wire.cut()
        cluster.wait_until(lambda: b"Lost the broker" in log.read_bytes()[said:], SILENT_SECONDS_MAX, "it is noticed")
        noticed = time.monotonic() - cut
        cluster.wait(cut + self._seconds - time.monotonic())
        self._wire.mend()
        mended, said = time.monotonic(), log.stat().st_size
        cluster.wait_until(lambda: b"Connected to" in log.read_bytes()[said:], SILENT_SECONDS_MAX, "it is back")
        back = time.monotonic() - mended
        return f"noticed after {noticed:.1f} s; back {back:.1f} s after the cut was mended"

    def clear_up(self, cluster: Cluster) -> None:
        cluster.urls = self._urls or cluster.urls
        if self._urls:
            cluster.system.more_gateways.pop().stop()
        if self._wire:
            self._wire.__exit__(None, None, None)
