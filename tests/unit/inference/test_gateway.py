"""One gateway a process, started by whoever needs it first and stopped with the process."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from inference import gateway as gateway_module
from inference.gateway import Gateway, gateway, start_gateway, stop_gateway


class PretendedGateway:
    """Notes when it is started and stopped."""

    made: list[PretendedGateway] = []

    def __init__(self) -> None:
        self.started = self.stopped = False
        self.made.append(self)

    def start(self) -> None:
        self.started = True

    def stop(self) -> None:
        self.stopped = True


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[PretendedGateway]]:
    monkeypatch.setattr(PretendedGateway, "made", [])
    monkeypatch.setattr(gateway_module, "_gateway", None)
    monkeypatch.setattr(gateway_module, "_EmbeddedGateway", PretendedGateway)
    yield PretendedGateway.made
    stop_gateway()


def test_the_first_caller_starts_it_and_the_others_get_the_same(made: list[PretendedGateway]) -> None:
    barrier = threading.Barrier(8)

    def call(_: int) -> object:
        barrier.wait(10)
        return gateway()

    with ThreadPoolExecutor(8) as pool:
        found = set(map(id, pool.map(call, range(8))))

    assert found == {id(made[0])}
    assert len(made) == 1
    assert made[0].started


def test_after_a_fork_the_child_starts_its_own(made: list[PretendedGateway], monkeypatch: pytest.MonkeyPatch) -> None:
    start_gateway()
    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: -1)
        assert gateway() is not made[0]
        stop_gateway()

    assert [(item.started, item.stopped) for item in made] == [(True, False), (True, True)]


def test_a_child_does_not_stop_its_parents(made: list[PretendedGateway], monkeypatch: pytest.MonkeyPatch) -> None:
    start_gateway()
    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: -1)
        stop_gateway()

    assert not made[0].stopped


def test_once_stopped_the_next_caller_starts_another(made: list[PretendedGateway]) -> None:
    start_gateway()
    stop_gateway()
    stop_gateway()

    assert gateway() is made[1]  # type: ignore[comparison-overlap]
    assert made[0].stopped


def test_on_rabbitmq_there_is_no_embedded_worker(made: list[PretendedGateway], monkeypatch: pytest.MonkeyPatch) -> None:
    distributed: list[PretendedGateway] = []

    def make() -> PretendedGateway:
        distributed.append(PretendedGateway())
        return distributed[0]

    monkeypatch.setattr(gateway_module, "Gateway", make)
    monkeypatch.setattr(gateway_module, "shared_settings", lambda: SimpleNamespace(embedded=False))

    assert gateway() is distributed[0]  # type: ignore[comparison-overlap]


class Part:
    """A part of a gateway that notes its start and stop in a journal."""

    def __init__(self, name: str, journal: list[str]) -> None:
        self._name = name
        self._journal = journal

    def start(self) -> None:
        self._journal.append(f"start {self._name}")

    def stop(self) -> None:
        self._journal.append(f"stop {self._name}")


def test_the_timings_are_stopped_last_so_that_none_is_lost() -> None:
    journal: list[str] = []
    whole = Gateway()
    for name in ("dispatcher", "fleet", "_supply", "replies", "timings", "recorder"):
        setattr(whole, name, Part(name.strip("_"), journal))

    whole.start()
    whole.stop()

    assert journal[:5] == ["start recorder", "start timings", "start replies", "start supply", "start dispatcher"]
    assert journal[5] == "stop dispatcher"
    assert journal[-2:] == ["stop timings", "stop recorder"]


def test_it_tells_the_others_how_many_requests_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Callable[[], object]] = []
    monkeypatch.setattr("inference.dispatch.replies.Replies.tell_when_asked", lambda _, tell: told.append(tell))
    whole = Gateway()
    whole.dispatcher.admission.held = 3
    whole.timings.dropped = 5

    status = told[0]()

    told_of = (status.requests_held, status.requests_max, status.timings_dropped)  # type: ignore[attr-defined]
    assert told_of == (3, 256, 5)
    assert status.gateway.endswith(f"-{os.getpid()}")  # type: ignore[attr-defined]
