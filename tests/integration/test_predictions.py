"""Predictions through real gateways, RabbitMQ and workers: the right answer to everyone, whoever dies."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from inference.client.http_client import Answer, PipelineClient
from tests.support.load import at_once
from tests.support.samples import Sample, samples
from tests.support.system import System
from tests.support.waiting import wait_until

CLIENTS = 64
ROUNDS = 50
# Answers that differ in the last bits only are equal; two clients' vectors differ by far more.
TOLERANCE = 1e-6


def load(system: System, sample: Sample) -> Answer:
    return system.client.set_weights(sample.nn_id, sample.file.name, sample.file.read_bytes())


@pytest.fixture(autouse=True)
def _first_network(system: System) -> None:
    assert load(system, samples()[0])["status"] is True


def test_each_network_in_turn_is_loaded_by_both_workers_and_answers_under_its_own_name(system: System) -> None:
    for sample in samples():
        loaded = load(system, sample)
        answer = system.client.predict([0.3, 0.7])
        assert (loaded["status"], loaded["workers_count"], loaded["message"]) == (True, 2, "OK")
        assert [worker["result"] for worker in loaded["workers"]] == [True, True]
        assert answer["message"] == sample.nn_id
        assert answer["result"] == pytest.approx(sample.answers(np.array([[0.3, 0.7]]))[0], abs=TOLERANCE)
        assert {worker["nn_id"] for worker in system.client.status()["workers"]} == {sample.nn_id}


def test_clients_whose_requests_leave_in_the_same_instant_get_their_own_answers(system: System) -> None:
    vectors = np.random.default_rng(7).random((ROUNDS, CLIENTS, 2)).astype(np.float32)
    expected = samples()[0].answers(vectors.reshape(-1, 2)).reshape(ROUNDS, CLIENTS)
    start = threading.Barrier(CLIENTS)

    def client(number: int) -> list[float]:
        own = PipelineClient(system.url, 60.0)
        results = []
        for vector in vectors[:, number]:
            start.wait(60)
            results.append(own.predict(vector.tolist())["result"])
        return results

    answers = np.array(at_once(CLIENTS, client)).T
    assert np.abs(answers - expected).max() <= TOLERANCE


def test_an_answer_does_not_depend_on_the_batch_it_travelled_in(system: System) -> None:
    alone = [system.client.predict([number / CLIENTS, 0.5])["result"] for number in range(CLIENTS)]
    together = at_once(CLIENTS, lambda number: system.client.predict([number / CLIENTS, 0.5])["result"])
    assert np.abs(np.array(alone) - np.array(together)).max() <= TOLERANCE


def test_a_batch_of_rows_comes_back_in_its_order(system: System) -> None:
    rows = np.random.default_rng(3).random((1000, 2)).astype(np.float32)
    answer = system.post("/predict", {"data": rows.tolist()}).json()
    assert np.abs(np.array(answer["result"])[:, 0] - samples()[0].answers(rows)).max() <= TOLERANCE


def test_killing_a_worker_loses_no_prediction(system: System) -> None:
    victim = system.add_worker()
    system.wait_for_workers(3)
    vectors = np.random.default_rng(11).random((200, 2)).astype(np.float32)
    expected = samples()[0].answers(vectors)
    answered = threading.Semaphore(0)

    def predict(number: int) -> float:
        result = float(PipelineClient(system.url, 60.0).predict(vectors[number].tolist())["result"])
        answered.release()
        return result

    def kill_in_the_middle() -> None:
        for _ in range(20):
            answered.acquire()
        victim.kill()

    killer = threading.Thread(target=kill_in_the_middle)
    killer.start()
    results = at_once(200, predict)
    killer.join(60)
    assert np.abs(np.array(results) - expected).max() <= TOLERANCE
    system.wait_for_workers(2)


def test_a_worker_that_starts_later_serves_at_once_without_an_upload(system: System) -> None:
    earlier = list(system.workers)
    late = system.add_worker()
    system.wait_for_workers(3)
    log = late.log.read_text()
    assert log.index(f"Loaded {samples()[0].nn_id}") < log.index(" ready."), "it took batches before it could answer"
    for worker in earlier:
        worker.kill()
    system.wait_for_workers(1)
    assert system.client.predict([0.1, 0.2])["message"] == samples()[0].nn_id
    system.workers[:] = [late]
    system.add_worker()
    system.wait_for_workers(2)


def test_a_restarted_gateway_serves_the_active_network_without_an_upload(system: System) -> None:
    before = system.client.predict([0.1, 0.2])
    system.restart_gateway()
    assert system.client.predict([0.1, 0.2]) == before


def test_requests_wait_while_the_only_workers_restart(system: System) -> None:
    for worker in system.workers:
        worker.kill()
    system.wait_for_workers(0)
    answers: list[Answer] = []
    asking = threading.Thread(target=lambda: answers.append(system.client.predict([0.1, 0.2])))
    asking.start()
    wait_until(lambda: held(system) == 1, 10, "the gateway holds the request")
    system.workers.clear()
    system.add_worker()
    system.add_worker()
    asking.join(60)
    assert [answer["status"] for answer in answers] == [True]
    system.wait_for_workers(2)


def held(system: System) -> int:
    """Requests held by whichever gateway process answers."""
    return int(system.client.status()["queue_requests_current"])
