"""On a reload, old gateway processes serve until as many new ones do."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from gateway_site import http_worker
from gateway_site.http_worker import SUCCESSORS_SECONDS, HttpWorker
from gateway_site.succession import Succession

PROCESSES = 2


@pytest.fixture
def generations(monkeypatch: pytest.MonkeyPatch) -> Succession:
    made = Succession()
    monkeypatch.setattr(http_worker, "succession", lambda: made)
    return made


@pytest.fixture
def make(generations: Succession) -> Callable[[int], HttpWorker]:
    """Makes a process of the current generation that serves."""

    def make(age: int) -> HttpWorker:
        worker = HttpWorker.__new__(HttpWorker)
        worker.alive, worker.age, worker.generation = True, age, generations.generation
        worker.cfg = SimpleNamespace(workers=PROCESSES)
        generations.serves(age, worker.generation)
        return worker

    return make


def end(worker: HttpWorker) -> None:
    worker.handle_exit(signal.SIGTERM, None)


def test_a_process_that_is_told_to_stop_stops(make: Callable[[int], HttpWorker]) -> None:
    worker = make(1)
    end(worker)
    assert not worker.alive


def test_one_that_is_replaced_serves_until_all_its_successors_do(
    make: Callable[[int], HttpWorker], generations: Succession
) -> None:
    old = [make(1), make(2)]
    generations.begin()
    for worker in old:
        end(worker)
    assert [worker.alive for worker in old] == [True, True]
    until = old[0]._serves_until
    assert until is not None
    make(3)
    assert not old[0]._is_succeeded(until)
    make(4)
    assert old[0]._is_succeeded(until)


def test_one_whose_successors_are_there_already_stops_at_once(
    make: Callable[[int], HttpWorker], generations: Succession
) -> None:
    old = make(1)
    generations.begin()
    make(2), make(3)
    end(old)
    assert not old.alive


def test_who_is_told_twice_waits_for_nobody(make: Callable[[int], HttpWorker], generations: Succession) -> None:
    old = make(1)
    generations.begin()
    end(old)
    end(old)
    assert not old.alive


def test_successors_that_never_come_are_not_waited_for_for_ever(
    make: Callable[[int], HttpWorker], generations: Succession, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = make(1)
    generations.begin()
    end(old)
    until = old._serves_until
    assert until is not None
    monkeypatch.setattr(http_worker.time, "monotonic", lambda: until + SUCCESSORS_SECONDS)
    assert old._is_succeeded(until)


def test_many_reloads_are_counted(generations: Succession, make: Callable[[int], HttpWorker]) -> None:
    for reload in range(1, 1000):
        generations.begin()
        assert generations.generation == reload
        assert generations.serving() == 0
        make(2 * reload), make(2 * reload + 1)
        assert generations.serving() == PROCESSES
