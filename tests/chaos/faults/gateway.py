"""Faults of the gateway: a process killed, and gunicorn told to reload."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import requests

from tests.chaos.cluster import Cluster
from tests.chaos.fault import Fault
from tests.support.uploads import uploads

START_SECONDS = 90.0


def _processes(cluster: Cluster) -> set[int]:
    """The ids of the gateway's processes, gunicorn's own first one left out."""
    return {process.pid for process in psutil.Process(cluster.system.gateway.pid).children()}


class KillGatewayProcess(Fault):
    """SIGKILL to one gateway process after an upload was answered: gunicorn starts another."""

    name = "SIGKILL a gateway process"
    may_fail = True

    def inject(self, cluster: Cluster) -> str:
        before, number = _processes(cluster), len(_processes(cluster))
        answer = cluster.switches.upload(cluster.system.client, uploads(2)[1])
        assert answer["status"] is True, answer
        os.kill(min(before), signal.SIGKILL)
        began = time.monotonic()
        cluster.wait_until(lambda: len(_processes(cluster) - before) == 1, START_SECONDS, "another one is started")
        cluster.wait_until(lambda: len(_processes(cluster)) == number, START_SECONDS, "as many as before")
        kept = cluster.system.client.networks()["networks"]
        assert {each["nn_id"]: each["active_version"] for each in kept}[answer["nn_id"]] == answer["version"]
        return f"another one started after {time.monotonic() - began:.1f} s; the upload answered just before is active"


class ReloadGateway(Fault):
    """SIGHUP to gunicorn: new processes take the old ones' place, and nobody waits for them."""

    name = "SIGHUP gunicorn (reload)"

    def __init__(self) -> None:
        self.worst_scrape = 0.0

    def inject(self, cluster: Cluster) -> str:
        before = _processes(cluster)
        assert cluster.system.gateway.pid is not None
        os.kill(cluster.system.gateway.pid, signal.SIGHUP)
        began = time.monotonic()
        with ThreadPoolExecutor(1) as beside:
            scrape = beside.submit(self._scrape, cluster)
            while before & _processes(cluster):
                assert time.monotonic() < began + START_SECONDS, "the old processes have not ended"
                if scrape.done():
                    scrape.result()
                    scrape = beside.submit(self._scrape, cluster)
                cluster.wait(0.1)
            took = time.monotonic() - began
            scrape.result()
        return f"reloaded after {took:.1f} s; a scrape of /metrics took {self.worst_scrape:.2f} s at most"

    def _scrape(self, cluster: Cluster) -> None:
        began = time.monotonic()
        assert requests.get(f"{cluster.system.url}/metrics", timeout=60.0).status_code == 200
        self.worst_scrape = max(self.worst_scrape, time.monotonic() - began)
