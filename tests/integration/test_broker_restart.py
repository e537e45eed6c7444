"""The broker dies and comes back: requests that were held are answered, by nobody's leave but time."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from inference.client.http_client import ClientError, PipelineClient
from inference.supervision.rabbitmq import PrivateNode
from tests.integration.conftest import running, running_node
from tests.support.load import at_once
from tests.support.samples import samples
from tests.support.system import System
from tests.support.waiting import wait_until

CLIENTS = 16
PREDICTIONS_EACH = 40
TOLERANCE = 1e-6


@pytest.fixture
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateNode]:
    """A node of this test's own, to be killed."""
    yield from running_node(tmp_path_factory.mktemp("killed"))


@pytest.fixture
def service(node: PrivateNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """One worker and two gateway processes; requests may wait longer than a worker takes to reconnect."""
    made = System(tmp_path_factory.mktemp("service"), node.url, PIPELINE_REQUEST_TIMEOUT="100")
    yield from running(made, workers=1)


def test_requests_survive_a_broker_that_is_killed_and_comes_back(service: System, node: PrivateNode) -> None:
    first = samples()[0]
    assert service.client.set_weights(first.nn_id, first.file.name, first.file.read_bytes())["status"] is True
    vectors = np.random.default_rng(5).random((CLIENTS, PREDICTIONS_EACH, 2)).astype(np.float32)
    expected = first.answers(vectors.reshape(-1, 2)).reshape(CLIENTS, PREDICTIONS_EACH)
    answered = threading.Semaphore(0)
    killed = threading.Event()

    def client(number: int) -> list[float]:
        own = PipelineClient(service.url, 120.0)
        results = []
        for step, vector in enumerate(vectors[number]):
            if step == PREDICTIONS_EACH // 2:
                answered.release()
                assert killed.wait(60)
            results.append(float(own.predict(vector.tolist())["result"]))
        return results

    results: list[list[float]] = []
    clients = threading.Thread(target=lambda: results.extend(at_once(CLIENTS, client)))
    clients.start()
    for _ in range(CLIENTS):
        assert answered.acquire(timeout=60)
    node.kill()
    killed.set()
    wait_until(lambda: not node.answers(), 10, "the broker is gone")
    node.start()
    node.wait_ready()
    clients.join(120)
    assert np.abs(np.array(results) - expected).max() <= TOLERANCE
    service.wait_for_workers(1)


def test_without_a_broker_a_weight_change_is_refused_and_kept(service: System, node: PrivateNode) -> None:
    first = samples()[0]
    node.stop()
    with pytest.raises(ClientError, match="broker") as refused:
        service.client.set_weights(first.nn_id, first.file.name, first.file.read_bytes())
    assert refused.value.status_code == 503
    assert service.query("list(Version.objects.values_list('state', flat=True))") == ["pending"]
