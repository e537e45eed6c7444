"""On a reload, old gateway processes serve until as many new ones do."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from gateway_site import http_worker
from gateway_site.http_worker import HttpWorker
from gateway_site.succession import Succession

PROCESSES = 2
GRACEFUL_SECONDS = 35


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
        worker.cfg = SimpleNamespace(workers=PROCESSES, graceful_timeout=GRACEFUL_SECONDS)
        generations.serves(age, worker.generation)
        return worker

    return make


def end(worker: HttpWorker) -> None:
    worker.handle_exit(signal.SIGTERM, None)


def starting(generations: Succession, monkeypatch: pytest.MonkeyPatch) -> HttpWorker:
    """A process that does not serve yet, and does not sleep."""
    worker = HttpWorker.__new__(HttpWorker)
    worker.alive, worker.age, worker.generation, worker.ppid = True, 9, generations.generation, os.getppid()
    worker.cfg = SimpleNamespace(graceful_timeout=GRACEFUL_SECONDS)
    monkeypatch.setattr(worker, "notify", lambda: None)
    monkeypatch.setattr(http_worker.gevent, "sleep", lambda _: None)
    return worker


def test_a_process_that_is_told_to_stop_stops(make: Callable[[int], HttpWorker]) -> None:
    worker = make(1)
    end(worker)
    assert not worker.alive


def test_one_that_is_replaced_serves_until_all_its_successors_do(
    make: Callable[[int], HttpWorker], generations: Succession
) -> None:
    old = [make(1), make(2)]
    generations.begin(PROCESSES)
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
    generations.begin(PROCESSES)
    make(2), make(3)
    end(old)
    assert not old.alive


def test_who_is_told_twice_waits_for_nobody(make: Callable[[int], HttpWorker], generations: Succession) -> None:
    old = make(1)
    generations.begin(PROCESSES)
    end(old)
    end(old)
    assert not old.alive


def test_successors_that_never_come_are_not_waited_for_for_ever(
    make: Callable[[int], HttpWorker], generations: Succession, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = make(1)
    generations.begin(PROCESSES)
    end(old)
    until = old._serves_until
    assert until is not None
    assert until <= time.monotonic() + GRACEFUL_SECONDS  # then gunicorn tells it again
    monkeypatch.setattr(http_worker.time, "monotonic", lambda: until + 1)
    assert old._is_succeeded(until)


@pytest.mark.parametrize(("reloaded", "others", "looks"), [(False, 0, 0), (True, 0, 3), (True, 1, 0)])
def test_a_new_process_accepts_nobody_before_it_is_ready_as_long_as_old_ones_do(
    reloaded: bool, others: int, looks: int, make: Callable[[int], HttpWorker], generations: Succession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    if reloaded:
        generations.begin(PROCESSES)
    new, looked = starting(generations, monkeypatch), []
    for age in range(others):
        make(age)

    def ready() -> bool:
        looked.append(1)
        return len(looked) == 3

    new._let_predecessors_serve(ready)
    assert len(looked) == looks


def test_one_that_does_not_get_ready_accepts_before_the_old_ones_are_ended(
    generations: Succession, monkeypatch: pytest.MonkeyPatch
) -> None:
    generations.begin(PROCESSES)
    began = time.monotonic()
    clock = iter([began, *(began + each for each in range(GRACEFUL_SECONDS))])
    new = starting(generations, monkeypatch)
    monkeypatch.setattr(http_worker.time, "monotonic", lambda: next(clock))
    new._let_predecessors_serve(lambda: False)

    assert next(clock) < began + GRACEFUL_SECONDS - 5


def test_a_successor_that_has_ended_again_is_none(make: Callable[[int], HttpWorker], generations: Succession) -> None:
    old = make(1)
    generations.begin(PROCESSES)
    make(2), make(3)
    generations.has_ended(3)
    end(old)
    assert old.alive
    make(4)
    assert old._is_succeeded(time.monotonic() + GRACEFUL_SECONDS)


def test_a_reload_may_bring_fewer_processes(make: Callable[[int], HttpWorker], generations: Succession) -> None:
    old = make(1)
    generations.begin(1)
    make(2)
    end(old)
    assert not old.alive


def test_many_reloads_are_counted(generations: Succession, make: Callable[[int], HttpWorker]) -> None:
    for reload in range(1, 1000):
        generations.begin(PROCESSES)
        assert generations.generation == reload
        assert generations.serving() == 0
        make(2 * reload), make(2 * reload + 1)
        assert generations.serving() == PROCESSES
