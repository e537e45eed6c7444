"""What every unit test has: the in-process broker, no network, and properties that are tried the same way each time."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from typing import NoReturn

import hypothesis
import pytest
from django.test import Client

from workers.messages.refusals import refusals
from workers.messages.request_id import REQUEST_ID
from workers.settings import settings as shared_settings

# Whatever broker the environment names, a unit test does not speak to it.
with pytest.MonkeyPatch.context() as environment:
    environment.setenv("BROKER_URL", "memory://")
    shared_settings.cache_clear()
    from inference import gateway as gateway_module
    from inference.access import requirement
    from inference.dashboard.cache import Cached
    from inference.versions.asking import Answers
    from tests.unit.admin_samples import person
    from tests.unit.dashboard_samples import set_running
    from tests.unit.pretended_gateway import PretendedGateway
    from tests.unit.pretended_worker import PretendedNetworks, worker_with
    from tests.unit.redeliveries import Broker
    from tests.unit.samples import loaded
    from tests.unit.sender import Sender
    from workers.consuming import redelivery as redelivery_module
    from workers.worker import Worker

hypothesis.settings.register_profile("unit", derandomize=True, database=None, deadline=None)
hypothesis.settings.load_profile("unit")


@pytest.fixture(autouse=True)
def no_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit test that connects to anything is no unit test."""

    def refuse(*address: object) -> NoReturn:
        raise AssertionError(f"a unit test connects to {address[-1]}")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(autouse=True)
def on_loopback() -> None:
    """A gateway that only this machine reaches."""
    requirement.listen_at([("127.0.0.1", 54321)])


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The dashboard shows what is there now, not what was there a moment ago."""
    monkeypatch.setattr(Cached, "enabled", False)


@pytest.fixture(autouse=True)
def nothing_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """No message was refused for its signature just now, which errors would tell of."""
    monkeypatch.setattr(refusals, "_of_signatures", 0)


@pytest.fixture(autouse=True)
def no_request() -> Iterator[None]:
    """No request is being handled, whatever one an earlier test has handled."""
    token = REQUEST_ID.set("")
    yield
    REQUEST_ID.reset(token)


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> PretendedGateway:
    """This process's gateway for the length of a test."""
    pretended = PretendedGateway()
    monkeypatch.setattr(gateway_module, "_gateway", (os.getpid(), pretended))
    return pretended


@pytest.fixture
def sender(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sender]:
    """A dispatcher whose loop and sender are driven by hand."""
    sender = Sender(monkeypatch)
    yield sender
    sender.close()


@pytest.fixture
def networks() -> PretendedNetworks:
    """What the worker has loaded."""
    return PretendedNetworks()


@pytest.fixture
def worker(networks: PretendedNetworks) -> Iterator[Worker]:
    """This process's worker for the length of a test."""
    with worker_with(networks) as worker:
        yield worker


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    """Queues for what comes back to the worker; it logs all of it, however many tests there are in a second."""
    monkeypatch.setattr(redelivery_module.logger, "filters", [])
    broker = Broker(monkeypatch)
    yield broker
    broker.close()


@pytest.fixture
def client(gateway: PretendedGateway) -> Client:
    """A client that sees what a stranger sees: an answer, never an exception."""
    return Client(raise_request_exception=False)


@pytest.fixture
def workers(gateway: PretendedGateway) -> PretendedGateway:
    """Two workers that load what they are asked to."""
    gateway.fleet.reports = Answers([loaded("w1"), loaded("w2")], 0)
    return gateway


@pytest.fixture
def viewer(db: None, gateway: PretendedGateway) -> Client:
    """A browser in which a viewer has logged in to the admin."""
    return person("viewer")


@pytest.fixture
def running(db: None, gateway: PretendedGateway) -> PretendedGateway:
    """A gateway with a fleet, a network and requests, as the dashboard shows them."""
    set_running(gateway)
    return gateway


@pytest.fixture
def operator(db: None, gateway: PretendedGateway) -> Client:
    """A browser in which an operator has logged in to the admin."""
    return person("operator")
