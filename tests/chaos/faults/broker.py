"""Faults of the broker: killed, and out of memory or disk."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import requests

from inference.client.http_client import ClientError
from tests.chaos.cluster import Cluster
from tests.chaos.fault import Fault
from tests.support.rabbitmqctl import rabbitmqctl
from tests.support.uploads import uploads

#: How to raise an alarm, and how to end it.
ALARMS = {
    "memory": (("set_vm_memory_high_watermark", "0"), ("set_vm_memory_high_watermark", "0.4")),
    "disk": (("set_disk_free_limit", "1000000GB"), ("set_disk_free_limit", "1MB")),
}
#: What is refused is refused within a second, and what is well again is so as soon; tripled for a busy machine.
PROMPT_SECONDS = 3.0


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


class BlockBroker(Fault):
    """RabbitMQ's memory or disk alarm: it reads nothing from who publishes, until the alarm ends."""

    def __init__(self, what: str = "memory", seconds: float = 10.0) -> None:
        self.name = f"RabbitMQ's {what} alarm for {seconds:g} s"
        self._raise, self._end = ALARMS[what]
        self._seconds = seconds

    def inject(self, cluster: Cluster) -> str:
        before = self._pending(cluster)
        rabbitmqctl(cluster.node, *self._raise)
        try:
            cluster.wait_until(lambda: not cluster.system.predicts(), PROMPT_SECONDS, "requests are refused")
            asked = [self._refusal(cluster, path) for path in ("/predict", "/status", "/set_weights")]
            ready = cluster.system.url + "/readyz"
            cluster.wait_until(lambda: requests.get(ready, timeout=10).status_code == 503, PROMPT_SECONDS, "not ready")
            cluster.wait(self._seconds)
        finally:
            rabbitmqctl(cluster.node, *self._end)
        began = time.monotonic()
        cluster.wait_until(cluster.system.predicts, PROMPT_SECONDS, "a prediction is answered again")
        back = time.monotonic() - began
        assert self._pending(cluster) == before + 1, "the refused upload is kept"
        slowest = max(asked)
        return f"/predict, /status and /set_weights refused within {slowest:.2f} s; back {back:.1f} s after its end"

    @staticmethod
    def _pending(cluster: Cluster) -> int:
        return int(cluster.system.query("Version.objects.filter(state='pending').count()"))

    @staticmethod
    def _refusal(cluster: Cluster, path: str) -> float:
        """How long a request took to be refused, in seconds."""
        client, upload = cluster.system.client, uploads(2)[1]
        asking: dict[str, Callable[[], object]] = {
            "/predict": lambda: client.predict([0.1, 0.2]),
            "/status": client.status,
            "/set_weights": lambda: client.set_weights(upload.nn_id, "weights.b64", upload.content),
        }
        asked = time.monotonic()
        with pytest.raises(ClientError) as refused:
            asking[path]()
        assert refused.value.status_code == 503, refused.value
        took = time.monotonic() - asked
        assert took < PROMPT_SECONDS, f"{path} was refused after {took:.1f} s"
        return took
