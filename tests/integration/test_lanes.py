"""Requests for different networks do not wait for one another's loading: one is being loaded, the other answers."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from uuid import uuid4

import pytest

from inference.client.http_client import Answer
from inference.supervision.rabbitmq import PrivateNode
from tests.support.readers import readers_stopped
from tests.support.samples import Sample, samples
from tests.support.system import System
from tests.support.waiting import wait_until

#: A worker with so little memory keeps the network that it loaded last, and loads another when it is asked for.
ONE_NETWORK_ONLY = {"PIPELINE_WORKER_MEMORY": "1", "PIPELINE_LOAD_TIMEOUT": "240"}
PATIENT = {"PIPELINE_REQUEST_TIMEOUT": "120"}
LOADING, LOADED = samples()[:2]
WAITING = 16
#: The load is held up until so many predictions by the other network are answered, each within a time that is far
#: shorter than the load would be.
ANSWERED = 20
SOON_SECONDS = 10.0


@pytest.fixture
def system(rabbitmq: PrivateNode, directory: Path) -> Iterator[System]:
    """Two gateway processes and one worker, which holds the network LOADED and must load LOADING when it is asked."""
    made = System(directory, rabbitmq.url, **PATIENT)
    try:
        made.start(workers=0)
        made.add_worker(**ONE_NETWORK_ONLY)
        yield prepared(made)
    finally:
        made.stop()


@pytest.fixture
def embedded(directory: Path) -> Iterator[System]:
    """The same with gateway and worker in one process."""
    made = System(directory, "", PIPELINE_GATEWAY_PROCESSES="1", **PATIENT, **ONE_NETWORK_ONLY)
    try:
        made.start(workers=0, embedded=True)
        yield prepared(made)
    finally:
        made.stop()


def prepared(system: System) -> System:
    system.wait_for_workers(1)
    for sample in (LOADING, LOADED):
        loaded = system.client.set_weights(sample.nn_id, sample.file.name, sample.file.read_bytes())
        assert loaded["status"] is True, loaded
    return system


def predict(system: System, sample: Sample, seconds: float = 120.0) -> Answer:
    body = {"vector": [0.3, 0.7], "nn_id": sample.nn_id}
    answer = system.post("/predict", body, seconds).json()
    assert isinstance(answer, dict)
    return answer


@pytest.fixture
def clients() -> Iterator[ThreadPoolExecutor]:
    """As many clients as requests wait."""
    with ThreadPoolExecutor(WAITING) as pool:
        yield pool


@contextmanager
def loading_held_up(system: System, clients: ThreadPoolExecutor) -> Iterator[list[Future[Answer]]]:
    """16 requests for LOADING wait; the worker loads it, and the process that reads its file for the worker stands."""
    with readers_stopped(system):
        answers = [clients.submit(predict, system, LOADING) for _ in range(WAITING)]
        wait_until(lambda: held(system) >= WAITING, 30, "the requests wait")
        yield answers


def held(system: System) -> int:
    return int(system.client.status()["queue_requests_current"])


def check_answers(answers: list[Future[Answer]]) -> None:
    results = [answer.result(120) for answer in answers]
    assert {(answer["status"], answer["message"]) for answer in results} == {(True, LOADING.nn_id)}


def check_that_others_are_answered(system: System, clients: ThreadPoolExecutor) -> None:
    with loading_held_up(system, clients) as waiting:
        for _ in range(ANSWERED):
            answer = predict(system, LOADED, SOON_SECONDS)
            assert (answer["status"], answer["message"]) == (True, LOADED.nn_id)
        assert not any(answer.done() for answer in waiting)
    check_answers(waiting)


def test_a_network_answers_while_another_is_loaded_on_the_only_worker(
    system: System, clients: ThreadPoolExecutor
) -> None:
    check_that_others_are_answered(system, clients)


def test_a_network_answers_while_another_is_loaded_by_the_embedded_worker(
    embedded: System, clients: ThreadPoolExecutor
) -> None:
    check_that_others_are_answered(embedded, clients)


def test_a_network_answers_while_the_same_worker_computes_a_large_one(system: System, tmp_path: Path) -> None:
    nn_id = uuid4().hex
    answer = system.client.set_weights(nn_id, "large", laborious_network(tmp_path))
    assert answer["status"] is True, answer
    # Only one network is kept at a time: the batch of each takes its own along.
    with ThreadPoolExecutor(1) as pool:
        started = monotonic()
        large = pool.submit(system.post, "/predict", {"data": [[0.1, 0.2]] * 4, "nn_id": nn_id})
        longest, answered = 0.0, 0
        while not large.done():
            asked = monotonic()
            assert predict(system, LOADED)["status"] is True
            longest, answered = max(longest, monotonic() - asked), answered + 1
        took = monotonic() - started
    assert large.result().json()["message"] == nn_id
    assert took > 1, "the large network is too small for this machine"
    assert answered > 3
    assert longest < took / 2, f"{longest:.1f} of {took:.1f} s"


def laborious_network(directory: Path) -> bytes:
    """A `.keras` archive of a network whose row takes about half a second to compute."""
    import keras

    shared = keras.layers.Dense(1024)
    inputs = keras.Input((2,))
    hidden = keras.layers.RepeatVector(1024)(keras.layers.Dense(1024)(inputs))
    for _ in range(20):
        hidden = shared(hidden)
    keras.Model(inputs, keras.layers.GlobalMaxPooling1D()(hidden)).save(directory / "large.keras")
    return (directory / "large.keras").read_bytes()


def test_what_waits_for_a_network_when_its_worker_is_killed_is_answered_by_another(
    system: System, clients: ThreadPoolExecutor
) -> None:
    with loading_held_up(system, clients) as waiting:
        system.workers.pop().kill()
        system.wait_for_workers(0)
        system.add_worker(**ONE_NETWORK_ONLY)
        check_answers(waiting)


def test_a_worker_that_is_asked_to_stop_answers_first_what_waits_for_its_network(
    system: System, clients: ThreadPoolExecutor
) -> None:
    with loading_held_up(system, clients) as waiting:
        assert predict(system, LOADED)["status"] is True
        worker = system.workers.pop()
        worker.ask_to_stop()
        wait_until(lambda: system.workers_count() == 0, 30, "the worker takes no more")
        assert worker.alive()
        assert not any(answer.done() for answer in waiting)
    assert worker.wait(60)
    assert any(answer.done() for answer in waiting)
    system.add_worker(**ONE_NETWORK_ONLY)
    check_answers(waiting)
