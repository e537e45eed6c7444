"""A broker of three nodes, on queues that all of them have: whichever is killed, another takes over."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import monotonic

import numpy as np
import pytest

from tests.integration.conftest import running
from tests.support.broker_cluster import QUORUM_HOST, BrokerCluster, running_cluster_of_brokers
from tests.support.rabbitmqctl import rabbitmqctl
from tests.support.samples import samples
from tests.support.system import System
from tests.support.waiting import wait_until

CLIENTS = 8
TOLERANCE = 1e-6
#: What is promised of a broker that is lost, and as much again for two cores that other tests keep busy.
TAKEN_OVER_SECONDS = 20.0


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerCluster]:
    with running_cluster_of_brokers(tmp_path_factory.mktemp("brokers")) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def system(brokers: BrokerCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Two workers and two gateway processes, which know all nodes' addresses."""
    made = System(tmp_path_factory.mktemp("system"), brokers.url(QUORUM_HOST))
    for started in running(made, workers=2):
        yield started.load_first_sample()


@contextmanager
def predicting(system: System) -> Iterator[list[float]]:
    """Clients ask for the length of a block; every answer is right, and how long each took is noted."""
    vectors = np.random.default_rng(5).random((CLIENTS, 2)).astype(np.float32)
    expected = samples()[0].answers(vectors)
    ended = threading.Event()
    waits: list[float] = []

    def client(number: int) -> None:
        while not ended.is_set():
            began = monotonic()
            result = system.client.predict(vectors[number].tolist(), nn_id=samples()[0].nn_id)["result"]
            waits.append(monotonic() - began)
            assert abs(result - expected[number]) <= TOLERANCE

    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(client, number) for number in range(CLIENTS)]
        try:
            yield waits
        finally:
            ended.set()
            failed = [each.exception(60) for each in clients]
            assert not any(failed), failed


@pytest.mark.parametrize("number", range(3))
def test_any_node_is_killed_and_no_prediction_is_lost(system: System, brokers: BrokerCluster, number: int) -> None:
    brokers.start_all()
    with predicting(system) as waits:
        wait_until(lambda: len(waits) > 100, 30, "predictions run")
        brokers.nodes[number].kill()
        killed = len(waits)
        wait_until(lambda: len(waits) > killed + 500, 60, "predictions go on")

    assert max(waits) < TAKEN_OVER_SECONDS


def test_it_starts_while_the_first_node_is_down(
    brokers: BrokerCluster, tmp_path_factory: pytest.TempPathFactory
) -> None:
    brokers.start_all()
    rabbitmqctl(brokers.nodes[1], "add_vhost", "later", "--default-queue-type", "quorum")
    rabbitmqctl(brokers.nodes[1], "set_permissions", "-p", "later", "guest", ".*", ".*", ".*")
    brokers.nodes[0].kill()
    made = System(tmp_path_factory.mktemp("later"), brokers.url("later"))
    for system in running(made, workers=1):
        system.load_first_sample()
        assert system.client.predict([0.1, 0.2])["message"] == samples()[0].nn_id
