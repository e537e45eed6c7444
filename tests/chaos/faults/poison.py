"""A batch that kills whoever takes it."""

from __future__ import annotations

import time
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from tests.chaos.cluster import Cluster
from tests.chaos.fault import Fault
from tests.support.poison import NN_ID, MemoryKiller, deadly_request, harmless_request, poison_archive
from tests.support.uploads import uploads
from workers.consuming.redelivery import REDELIVERIES_MAX

ANSWER_SECONDS = 60.0
AT_ONCE_SECONDS = 2.0
ASKED_AGAIN = 8


class PoisonBatch(Fault):
    """Somebody sends a network rows that no worker has memory for, and asks again; others go on."""

    name = "a batch that kills each worker that takes it"

    def prepare(self, cluster: Cluster) -> None:
        answer = cluster.system.client.set_weights(NN_ID, "poison.keras", poison_archive())
        assert answer["status"] is True, answer
        # The clients ask the default network, which the latest upload names.
        assert cluster.switches.upload(cluster.system.client, uploads(1)[0])["status"] is True

    def inject(self, cluster: Cluster) -> str:
        url = cluster.system.url
        with MemoryKiller(lambda: cluster.workers) as killer, ThreadPoolExecutor(1) as beside:
            began = time.monotonic()
            asked = beside.submit(_ask, url, deadly_request())
            cluster.wait_until(asked.done, ANSWER_SECONDS, "the deadly request is answered")
            told = time.monotonic() - began
            answer = asked.result()
            if answer.status_code == 504:  # its deadline came first: workers start slowly here
                cluster.wait_until(lambda: _ask(url, harmless_request()).status_code == 503, 60.0, "it is refused")
            else:
                assert b"QuarantinedError" in b64decode(answer.json()["message"]), answer.text
            died = len(killer.killed)
            assert died == REDELIVERIES_MAX + 1, died
            for _ in range(ASKED_AGAIN):  # whichever of the gateway's processes answers
                began = time.monotonic()
                refused = _ask(url, deadly_request())
                assert time.monotonic() - began < AT_ONCE_SECONDS
                assert (refused.status_code, int(refused.headers["Retry-After"]) > 1) == (503, True), refused.text
            assert len(killer.killed) == died, "a refused request killed a worker"
        said = "was told why" if answer.status_code == 200 else f"had {answer.status_code}"
        return f"its sender {said} after {told:.1f} s, {died} workers died; asked again: 503 at once"


def _ask(url: str, body: dict[str, Any]) -> requests.Response:
    return requests.post(f"{url}/predict", json=body, timeout=ANSWER_SECONDS)
