"""What tests of the server share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.gateway_site.pretended_clients import (
    CONNECTIONS_MAX,
    IDLE_SECONDS,
    SILENT_SECONDS,
    ClientConnection,
    Gateway,
    pretended_gateway,
)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """A gateway process without sockets, whose bounds are these."""
    monkeypatch.setattr(ClientConnection, "silent_seconds", SILENT_SECONDS)
    monkeypatch.setattr(ClientConnection, "idle_seconds", IDLE_SECONDS)
    monkeypatch.setattr(ClientConnection, "connections_max", CONNECTIONS_MAX)
    with pretended_gateway() as gateway:
        yield gateway
