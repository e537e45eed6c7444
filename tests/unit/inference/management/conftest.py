"""What tests of commands that ask a gateway share."""

from __future__ import annotations

import pytest

from inference.management import client as client_module
from tests.unit.inference.management.pretended_client import PretendedClient


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> type[PretendedClient]:
    monkeypatch.setattr(PretendedClient, "sent", [])
    monkeypatch.setattr(client_module, "PipelineClient", PretendedClient)
    return PretendedClient
