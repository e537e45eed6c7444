"""Everything dies at once, and is started again."""

from __future__ import annotations

import time
from typing import Any

from tests.chaos.cluster import Cluster
from tests.chaos.fault import Fault
from tests.support.postgresql import PrivatePostgresql
from tests.support.uploads import uploads

START_SECONDS = 120.0
#: What the database knows: every network with its active version, the default one, how each activation ended, who
#: reported, and how many requests were written and summed up.
KNOWN = (
    "[sorted(Network.objects.values_list('nn_id', 'active__number')),"
    " list(DefaultNetwork.objects.values_list('network_id', flat=True)),"
    " list(Activation.objects.order_by('id').values_list('id', 'version__number', 'kind', 'outcome')),"
    " WorkerReport.objects.count()]"
)
REQUESTS = "PredictionTiming.objects.filter(outcome='answered').count()"


class KillEverything(Fault):
    """SIGKILL to gateway, workers, RabbitMQ and PostgreSQL, all started again."""

    may_fail = True

    def __init__(self, server: PrivatePostgresql | None = None) -> None:
        self.name = f"SIGKILL everything, {'PostgreSQL' if server else 'on SQLite'}"
        self._server = server

    def inject(self, cluster: Cluster) -> str:
        system = cluster.system
        assert cluster.switches.upload(system.client, uploads(2)[1])["status"] is True
        cluster.wait(2.0)
        known, requests = self._look(cluster)
        for worker in system.workers:
            worker.kill()
        system.gateway.kill()
        cluster.node.kill()
        if self._server is not None:
            self._server.kill()
            self._server.serve()
        began = time.monotonic()
        cluster.node.start()
        system.gateway.start()
        for worker in system.workers:
            worker.start()
        cluster.node.wait_ready()
        cluster.wait_until(system.predicts, START_SECONDS, "a prediction is answered")
        took = time.monotonic() - began
        cluster.wait_well()
        known_again, requests_again = self._look(cluster)
        assert known_again == known, (known, known_again)
        assert requests_again >= requests > 0, (requests, requests_again)
        return f"first answer {took:.1f} s after the start; versions, history and {requests:,} requests are there"

    def _look(self, cluster: Cluster) -> tuple[Any, int]:
        found = cluster.system.query(f"[{KNOWN}, {REQUESTS}]")
        return found[0], found[1]
