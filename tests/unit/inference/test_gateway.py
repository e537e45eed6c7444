"""One gateway a process, started by the server and stopped with the process."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from inference import gateway as gateway_module
from inference.dispatch.waiting import Waiting
from inference.gateway import Gateway, gateway, start_gateway, stop_gateway
from tests.unit.samples import asking


class PretendedGateway:
    """Notes when it is started, in which loop, and stopped."""

    made: list[PretendedGateway] = []

    def __init__(self) -> None:
        self.loop: object = None
        self.stopped = False
        self.made.append(self)

    def start(self, loop: object) -> None:
        self.loop = loop

    def stop(self) -> None:
        self.stopped = True


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A server's loop."""
    made = asyncio.new_event_loop()
    yield made
    made.close()


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[PretendedGateway]]:
    monkeypatch.setattr(PretendedGateway, "made", [])
    monkeypatch.setattr(gateway_module, "_gateway", None)
    monkeypatch.setattr(gateway_module, "_EmbeddedGateway", PretendedGateway)
    yield PretendedGateway.made
    stop_gateway()


def test_it_is_started_in_the_servers_loop_and_everybody_gets_the_same(
    made: list[PretendedGateway], loop: asyncio.AbstractEventLoop
) -> None:
    start_gateway(loop)

    assert gateway() is gateway() is made[0]  # type: ignore[comparison-overlap]
    assert len(made) == 1
    assert made[0].loop is loop


def test_one_that_has_not_been_started_is_a_defect(made: list[PretendedGateway]) -> None:
    with pytest.raises(RuntimeError, match="has not been started"):
        gateway()


def test_after_a_fork_the_child_has_none_until_it_starts_its_own(
    made: list[PretendedGateway], loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_gateway(loop)
    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: -1)
        with pytest.raises(RuntimeError):
            gateway()
        start_gateway(loop)
        assert gateway() is not made[0]  # type: ignore[comparison-overlap]
        stop_gateway()

    assert [(item.loop, item.stopped) for item in made] == [(loop, False), (loop, True)]


def test_a_child_does_not_stop_its_parents(
    made: list[PretendedGateway], loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_gateway(loop)
    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: -1)
        stop_gateway()

    assert not made[0].stopped


def test_once_stopped_it_stays_so(made: list[PretendedGateway], loop: asyncio.AbstractEventLoop) -> None:
    start_gateway(loop)
    stop_gateway()
    stop_gateway()

    assert made[0].stopped
    with pytest.raises(RuntimeError):
        gateway()


def test_on_rabbitmq_there_is_no_embedded_worker(
    made: list[PretendedGateway], loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    distributed: list[PretendedGateway] = []

    def make() -> PretendedGateway:
        distributed.append(PretendedGateway())
        return distributed[0]

    monkeypatch.setattr(gateway_module, "Gateway", make)
    monkeypatch.setattr(gateway_module, "shared_settings", lambda: SimpleNamespace(embedded=False))

    start_gateway(loop)
    assert gateway() is distributed[0]  # type: ignore[comparison-overlap]


class Part:
    """A part of a gateway that notes its start and stop in a journal."""

    def __init__(self, name: str, journal: list[str]) -> None:
        self._name = name
        self._journal = journal

    def start(self, *_: Any) -> None:
        self._journal.append(f"start {self._name}")

    def stop(self) -> None:
        self._journal.append(f"stop {self._name}")


def test_the_timings_are_stopped_last_so_that_none_is_lost(loop: asyncio.AbstractEventLoop) -> None:
    journal: list[str] = []
    whole = Gateway()
    for name in ("dispatcher", "fleet", "_supply", "replies", "timings", "recorder"):
        setattr(whole, name, Part(name.strip("_"), journal))

    whole.start(loop)
    whole.stop()

    assert journal[:5] == ["start recorder", "start timings", "start replies", "start supply", "start dispatcher"]
    assert journal[5] == "stop dispatcher"
    assert journal[-2:] == ["stop timings", "stop recorder"]


def test_it_tells_the_others_how_many_requests_it_holds(
    loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Callable[[], object]] = []
    monkeypatch.setattr("inference.dispatch.replies.Replies.tell_when_asked", lambda _, tell: told.append(tell))
    whole = Gateway()
    future: asyncio.Future[Any] = loop.create_future()
    for _ in range(3):
        whole.dispatcher.admission.admit(Waiting(asking([0.1]), 0.0, 1.0, future))
    whole.timings.dropped = 5

    status = told[0]()

    told_of = (status.requests_held, status.requests_max, status.timings_dropped)  # type: ignore[attr-defined]
    assert told_of == (3, 256, 5)
    assert status.gateway.endswith(f"-{os.getpid()}")  # type: ignore[attr-defined]
