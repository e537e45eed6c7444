"""Faults of the network: connections to the broker that are cut without either end being told."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack

from inference.supervision.processes import Child
from tests.chaos.cluster import Cluster
from tests.chaos.fault import Fault
from tests.chaos.faults.workers import SILENT_SECONDS_MAX
from tests.chaos.namespace import HERE, Namespace
from tests.chaos.wire import Wire


def cut_worker(
    cluster: Cluster, cut: Callable[[], None], mend: Callable[[], None], seconds: float
) -> tuple[float, float]:
    """Cut a worker off for so long: the seconds until its batches went to others, and until it was back afterwards."""
    began = time.monotonic()
    cut()
    try:
        noticed = cluster.wait_given_up("the worker that is cut off")
        assert noticed < SILENT_SECONDS_MAX, f"RabbitMQ gave the worker up after {noticed:.1f} s"
        cluster.wait(began + seconds - time.monotonic())
    finally:
        mend()
    return noticed, cluster.wait_well()


class CutWorker(Fault):
    """The connections between a worker and the broker are cut."""

    def __init__(self, seconds: float = 20.0) -> None:
        self.name = f"a worker's connections cut without a FIN for {seconds:g} s"
        self._seconds = seconds

    def inject(self, cluster: Cluster) -> str:
        noticed, back = cut_worker(cluster, cluster.wire.cut, cluster.wire.mend, self._seconds)
        return f"its batches went to others after {noticed:.1f} s; it was back {back:.1f} s after the cut was mended"


class CutGateway(Fault):
    """The connections between one of two gateways and the broker are cut, a worker's with them."""

    def __init__(self, seconds: float = 10.0) -> None:
        self.name = f"a gateway's and a worker's connections cut without a FIN for {seconds:g} s"
        self._seconds = seconds
        self._gateway: Child | None = None

    def prepare(self, cluster: Cluster) -> None:
        wired = cluster.system.add_gateway(BROKER_URL=cluster.wire.url)
        self._gateway = cluster.system.more_gateways[-1]
        cluster.urls.append(wired.url)

    def inject(self, cluster: Cluster) -> str:
        assert self._gateway is not None
        cut = time.monotonic()
        cluster.wire.cut()
        try:
            noticed = self._seconds_until(b"Lost the broker", cluster)
            cluster.wait(cut + self._seconds - time.monotonic())
        finally:
            cluster.wire.mend()
        back = self._seconds_until(b"Connected to the broker", cluster)
        return f"the gateway noticed after {noticed:.1f} s; it was back {back:.1f} s after the cut was mended"

    def clear_up(self, cluster: Cluster) -> None:
        if self._gateway:
            cluster.urls.pop()
            cluster.system.more_gateways.remove(self._gateway)
            self._gateway.stop()

    def _seconds_until(self, line: bytes, cluster: Cluster) -> float:
        """How long it takes until the gateway logs a line."""
        assert self._gateway is not None
        log, began = self._gateway.log, time.monotonic()
        so_far = log.stat().st_size
        cluster.wait_until(lambda: line in log.read_bytes()[so_far:], SILENT_SECONDS_MAX, f"the gateway says {line!r}")
        return time.monotonic() - began


class DropPackets(Fault):
    """A worker on a host of its own, whose packets to and from the broker are dropped; needs a network namespace."""

    def __init__(self, seconds: float = 20.0) -> None:
        self.name = f"a worker host's packets dropped for {seconds:g} s"
        self._seconds = seconds
        self._open = ExitStack()

    def prepare(self, cluster: Cluster) -> None:
        self._namespace = self._open.enter_context(Namespace())
        broker = self._open.enter_context(Wire(cluster.node.port, HERE))
        worker = cluster.system.add_worker(self._namespace.inside, BROKER_URL=broker.url)
        self._open.callback(worker.kill)
        self._open.callback(cluster.given_up.add, worker)
        cluster.wait_well()

    def inject(self, cluster: Cluster) -> str:
        noticed, back = cut_worker(cluster, self._namespace.cut, self._namespace.mend, self._seconds)
        return f"its batches went to others after {noticed:.1f} s; it was back {back:.1f} s after packets arrived again"

    def clear_up(self, cluster: Cluster) -> None:
        self._open.close()
