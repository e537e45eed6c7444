"""Faults of the broker: killed, and out of memory or disk."""

from __future__ import annotations

import time

from tests.chaos.cluster import Cluster
from tests.chaos.fault import Fault


class KillBroker(Fault):
    """SIGKILL to RabbitMQ, started again after some seconds."""

    def __init__(self, seconds: float = 5.0) -> None:
        self.name = f"SIGKILL RabbitMQ, started again after {seconds:g} s"
        self._seconds = seconds

    def inject(self, cluster: Cluster) -> str:
        cluster.node.kill()
        cluster.wait(self._seconds)
        cluster.node.start()
        cluster.node.wait_ready()
        began = time.monotonic()
        cluster.wait_until(cluster.system.predicts, 60.0, "a prediction is answered")
        answered = time.monotonic() - began
        back = cluster.wait_well()
        return f"after the broker was up: first answer {answered:.1f} s, all workers {answered + back:.1f} s"
