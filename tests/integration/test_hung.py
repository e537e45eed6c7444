"""Processes that hang without dying: a worker during a weight change, and the broker itself."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from inference.client.http_client import Answer, ClientError
from inference.supervision.rabbitmq import PrivateNode
from tests.integration.conftest import running
from tests.support.samples import Sample, samples
from tests.support.system import System
from tests.support.waiting import wait_until

#: Shorter than the broker takes to give a hung worker up: a worker that is still connected is waited for.
LOAD_TIMEOUT = 3.0


@pytest.fixture
def service(rabbitmq: PrivateNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Two workers; a weight change waits three seconds for a worker."""
    made = System(
        tmp_path_factory.mktemp("hung"),
        rabbitmq.url,
        PIPELINE_LOAD_TIMEOUT=str(LOAD_TIMEOUT),
        PIPELINE_STATUS_TIMEOUT="0.5",
    )
    yield from running(made, workers=2)


def load(system: System, sample: Sample) -> Answer:
    return system.client.set_weights(sample.nn_id, sample.file.name, sample.file.read_bytes())


def test_a_hung_worker_makes_a_weight_change_fail_for_all(service: System) -> None:
    first, second, _ = samples()
    assert load(service, first)["status"] is True
    hung = service.workers[0].pid
    assert hung is not None
    os.kill(hung, signal.SIGSTOP)
    try:
        started = time.monotonic()
        status = service.client.status()
        assert time.monotonic() - started < 5
        assert (status["workers_count"], status["workers_silent"], len(status["workers"])) == (2, 1, 1)
        answer = load(service, second)
        assert time.monotonic() - started < LOAD_TIMEOUT + 10
        assert (answer["status"], answer["workers_count"]) == (False, 2)
        assert (answer["workers_asked"], answer["workers_answered"]) == (2, 1)
        assert sorted(worker["result"] for worker in answer["workers"]) == [False, True]
    finally:
        os.kill(hung, signal.SIGCONT)
    assert service.client.predict([0.1, 0.2])["message"] == first.nn_id
    wait_until(lambda: service.client.status()["workers_silent"] == 0, 60, "the worker answers again")
    assert load(service, second)["status"] is True


def test_a_worker_that_missed_a_weight_change_answers_by_the_new_version_when_it_is_back(service: System) -> None:
    first, second, _ = samples()
    assert load(service, first)["status"] is True
    hung, other = service.workers
    assert hung.pid is not None
    os.kill(hung.pid, signal.SIGSTOP)
    try:
        # RabbitMQ closes the connection of a peer whose heartbeats are missing.
        wait_until(lambda: service.client.status()["workers_count"] == 1, 90, "the broker has given the worker up")
        answer = load(service, second)
        assert (answer["status"], answer["workers_asked"], answer["workers_answered"]) == (True, 1, 1)
    finally:
        os.kill(hung.pid, signal.SIGCONT)
    service.wait_for_workers(2)
    other.kill()
    service.wait_for_workers(1)
    for _ in range(10):
        assert service.client.predict([0.1, 0.2])["message"] == second.nn_id


def test_a_report_of_a_worker_that_dies_does_not_stand_for_a_silent_one(service: System) -> None:
    first, second, _ = samples()
    assert load(service, first)["status"] is True
    reporting, hung = service.workers
    assert hung.pid is not None
    os.kill(hung.pid, signal.SIGSTOP)
    try:
        answers: list[Answer] = []
        asking = threading.Thread(target=lambda: answers.append(load(service, second)))
        asking.start()
        reported = "[r.worker for r in WorkerReport.objects.all()]"
        wait_until(lambda: "Loaded " + second.nn_id in reporting.log.read_text(), 30, "one worker has loaded")
        reporting.kill()
        asking.join(LOAD_TIMEOUT + 30)
        assert [answer["status"] for answer in answers] == [False], service.query(reported)
    finally:
        os.kill(hung.pid, signal.SIGCONT)
    assert service.client.predict([0.1, 0.2])["message"] == first.nn_id


def test_a_hung_broker_is_answered_with_503_in_time_and_forgotten(service: System, rabbitmq: PrivateNode) -> None:
    assert load(service, samples()[0])["status"] is True
    assert rabbitmq.pid is not None
    os.kill(rabbitmq.pid, signal.SIGSTOP)
    try:
        started = time.monotonic()
        with pytest.raises(ClientError) as refused:
            service.client.status()
        assert refused.value.status_code == 503
        assert time.monotonic() - started < 15
    finally:
        os.kill(rabbitmq.pid, signal.SIGCONT)
    wait_until(lambda: service.workers_count() == 2, 90, "both workers are back")
    assert service.client.predict([0.1, 0.2])["status"] is True


def test_a_request_that_no_worker_answers_ends_with_504_at_its_timeout(
    rabbitmq: PrivateNode, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = System(tmp_path_factory.mktemp("late"), rabbitmq.url, PIPELINE_REQUEST_TIMEOUT="2")
    for system in running(made, workers=1):
        assert load(system, samples()[0])["status"] is True
        system.workers[0].kill()
        system.wait_for_workers(0)
        started = time.monotonic()
        response = system.post("/predict", {"vector": [0.1, 0.2]})
        assert 2 <= time.monotonic() - started < 10
        assert (response.status_code, response.json()["status"]) == (504, False)
        assert "no worker answered within 2 s" in response.json()["message"]
        with pytest.raises(ClientError, match="no worker is connected") as refused:
            load(system, samples()[1])
        assert refused.value.status_code == 503
