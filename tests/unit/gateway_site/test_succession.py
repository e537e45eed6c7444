"""On a reload, old gateway processes serve until as many new ones do."""

from __future__ import annotations

import asyncio
import copy
import os
import signal
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from uvicorn.config import Config

from gateway_site import asgi, http_worker
from gateway_site.http_worker import GatewayServer
from gateway_site.succession import Succession
from tests.unit.gateway_site.pretended_clients import TurnedLoop

PROCESSES = 2
GRACEFUL_SECONDS = 35


class Process:
    """A gateway process of the current generation, as far as it begins and ends."""

    def __init__(self, generations: Succession, loop: TurnedLoop, monkeypatch: pytest.MonkeyPatch) -> None:
        #: All have the same memory, and each what it knows of itself.
        self.succession = copy.copy(generations)
        self._loop, self._monkeypatch = loop, monkeypatch
        config = Config(None, log_config=None)  # type: ignore[arg-type]  # nobody is answered
        cfg = SimpleNamespace(graceful_timeout=GRACEFUL_SECONDS)
        worker: Any = SimpleNamespace(config=config, cfg=cfg, ppid=os.getppid())
        self._server = GatewayServer(worker)

    def serves(self, age: int) -> Process:
        self.succession.starts(age, self.succession.generation)
        self.succession.serves()
        return self

    def is_told_to_end(self, how: int = signal.SIGTERM) -> None:
        self._monkeypatch.setattr(http_worker, "succession", lambda: self.succession)
        self._server.handle_exit(how, None)

    @property
    def ends(self) -> bool:
        """Whether it finds that it is time to."""
        self._monkeypatch.setattr(http_worker, "succession", lambda: self.succession)
        return self._loop.run_until_complete(self._server.on_tick(1))


Make = Callable[[int], Process]


@pytest.fixture
def generations() -> Succession:
    return Succession()


@pytest.fixture
def loop() -> Iterator[TurnedLoop]:
    loop = TurnedLoop()
    yield loop
    loop.close()


@pytest.fixture
def make(generations: Succession, loop: TurnedLoop, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Makes a process of the current generation that serves."""
    return lambda age: Process(generations, loop, monkeypatch).serves(age)


def test_a_process_serves_until_it_is_told_to_end(make: Make) -> None:
    process = make(1)
    assert not process.ends
    process.is_told_to_end()
    assert process.ends


def test_one_whose_gunicorn_has_gone_ends(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    process = make(1)
    monkeypatch.setattr(http_worker.os, "getppid", lambda: 1)
    assert process.ends


def test_one_that_is_replaced_serves_until_all_its_successors_do(make: Make, generations: Succession) -> None:
    old = [make(1), make(2)]
    generations.begin(PROCESSES)
    for process in old:
        process.is_told_to_end()
    assert [process.ends for process in old] == [False, False]
    make(3)
    assert [process.ends for process in old] == [False, False]
    make(4)
    assert [process.ends for process in old] == [True, True]


def test_one_whose_successors_are_there_already_ends_at_once(make: Make, generations: Succession) -> None:
    old = make(1)
    generations.begin(PROCESSES)
    make(2), make(3)
    old.is_told_to_end()
    assert old.ends


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_who_is_told_twice_waits_for_nobody(make: Make, generations: Succession, how: int) -> None:
    old = make(1)
    generations.begin(PROCESSES)
    old.is_told_to_end()
    assert not old.ends
    old.is_told_to_end(how)
    assert old.ends


def test_who_is_told_to_end_at_once_waits_for_nobody(make: Make, generations: Succession) -> None:
    old = make(1)
    generations.begin(PROCESSES)
    old._server.quit()
    assert old.ends


def test_successors_that_never_come_are_not_waited_for_for_ever(
    make: Make, generations: Succession, loop: TurnedLoop
) -> None:
    old = make(1)
    generations.begin(PROCESSES)
    old.is_told_to_end()
    assert not old.ends
    loop.now += GRACEFUL_SECONDS - 1
    assert not old.ends
    loop.now += 1  # then gunicorn tells it again
    assert old.ends


def test_a_successor_that_has_ended_again_is_none(make: Make, generations: Succession) -> None:
    old = make(1)
    generations.begin(PROCESSES)
    make(2), make(3)
    generations.has_ended(3)
    old.is_told_to_end()
    assert not old.ends
    make(4)
    assert old.ends


def test_a_reload_may_bring_fewer_processes(make: Make, generations: Succession) -> None:
    old = make(1)
    generations.begin(1)
    make(2)
    old.is_told_to_end()
    assert old.ends


def test_many_reloads_are_counted(generations: Succession, make: Make) -> None:
    for reload in range(1, 1000):
        generations.begin(PROCESSES)
        assert generations.generation == reload
        assert generations.serving() == 0
        copies = [copy.copy(generations) for _ in range(PROCESSES)]
        for age, each in enumerate(copies):
            each.starts(PROCESSES * reload + age, reload)
            assert each.only_old_ones_serve is (age == 0)
            each.serves()
        assert generations.complete()


# How a process begins.


class Start:
    """A process that starts: what it has waited for, and whether it serves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, generations: Succession, ready_after: float) -> None:
        self.looks, self.told = 0, []
        self._ready_after = ready_after
        for name in ("start_gateway", "stop_gateway"):
            monkeypatch.setattr(asgi, name, lambda *_, name=name: self.told.append(name))
        monkeypatch.setattr(asgi, "gateway", lambda: self)
        monkeypatch.setattr(asgi, "succession", lambda: generations)
        monkeypatch.setattr(asgi, "gc", SimpleNamespace(collect=int, freeze=int, set_threshold=lambda *_: None))
        monkeypatch.setattr(asgi, "LOOK_SECONDS", 0.0)
        monkeypatch.setattr(asgi, "_door", SimpleNamespace(close=lambda: self.told.append("close")))

    @property
    def ready(self) -> bool:
        self.looks += 1
        return self.looks > self._ready_after

    async def receive(self) -> dict[str, str]:
        return {}

    async def send(self, message: dict[str, str]) -> None:
        self.told.append(message["type"])

    def run(self) -> None:
        """To its end."""
        asyncio.run(asgi.application({"type": "lifespan"}, self.receive, self.send))  # type: ignore[arg-type]


@pytest.mark.parametrize(("reloaded", "others", "looks"), [(False, 0, 0), (True, 0, 3), (True, 1, 0)])
def test_a_new_process_accepts_nobody_before_it_is_ready_as_long_as_old_ones_do(
    reloaded: bool, others: int, looks: int, make: Make, generations: Succession, monkeypatch: pytest.MonkeyPatch
) -> None:
    if reloaded:
        generations.begin(PROCESSES)
    for age in range(others):
        make(age)
    generations.starts(9, generations.generation)
    new = Start(monkeypatch, generations, ready_after=2)
    new.run()

    assert new.looks == looks
    assert new.told == [
        "start_gateway", "lifespan.startup.complete", "stop_gateway", "close", "lifespan.shutdown.complete"
    ]  # fmt: skip


def test_one_that_is_not_ready_waits_also_when_another_new_one_serves(
    make: Make, generations: Succession, monkeypatch: pytest.MonkeyPatch
) -> None:
    generations.begin(PROCESSES)
    generations.starts(9, generations.generation)
    new = Start(monkeypatch, generations, ready_after=5)
    monkeypatch.setattr(asgi, "start_gateway", lambda _: None)
    ready = Start.ready.fget
    assert ready is not None
    monkeypatch.setattr(Start, "ready", property(lambda self: (make(10), ready(self))[1]))
    new.run()

    assert new.looks == 6


def test_one_that_does_not_get_ready_accepts_before_the_old_ones_are_ended(
    generations: Succession, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asgi.shared_settings().request_timeout_seconds > asgi.READY_SECONDS
    generations.begin(PROCESSES)
    generations.starts(9, generations.generation)
    new = Start(monkeypatch, generations, ready_after=float("inf"))
    monkeypatch.setattr(asgi, "READY_SECONDS", 0.05)
    new.run()

    assert new.looks > 0
    assert new.told[1] == "lifespan.startup.complete"
