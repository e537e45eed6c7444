"""What the clients ask: a gateway with two workers on a RabbitMQ of their own, and networks by name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from inference.supervision import rabbitmq
from inference.supervision.addresses import LOOPBACK, free_ports
from tests.end_to_end.clients.networks import load_networks
from tests.support.clients import RemoteClient, client_bin
from tests.support.own_node import running_system
from tests.support.requirement import require
from tests.support.system import System


@pytest.fixture(scope="package")
def system() -> Iterator[System]:
    """The system, with all networks loaded, for all files here."""
    require(rabbitmq.installed(), "rabbitmq-server")
    client_bin()
    grpc_bind = f"{LOOPBACK}:{free_ports(1)[0]}"
    with running_system(workers=2, PIPELINE_GRPC_BIND=grpc_bind) as running:
        load_networks(running)
        yield running


@pytest.fixture(scope="package")
def address(system: System) -> str:
    """Its host and port, as clients want to have it."""
    return system.url.removeprefix("http://")


@pytest.fixture(scope="package", params=["sync", "asyncio"])
def triton(request: pytest.FixtureRequest, address: str) -> Iterator[RemoteClient]:
    """tritonclient over HTTP, of either kind."""
    client = RemoteClient("triton_http.py", request.param, address)
    try:
        yield client
    finally:
        client.close()
