"""Which weight changes a worker loads: where messages are signed, those that a gateway waits for now."""

from __future__ import annotations

import threading

import pytest

from tests.unit.pretended_worker import PretendedNetworks
from tests.unit.reply_queue import SOON_SECONDS
from tests.unit.samples import VERSION
from workers import worker as worker_module
from workers.consuming.bounded_threads import WAITING_MAX
from workers.messages.refusals import refusals
from workers.messages.signing import Keys
from workers.runtime.errors import SupplyError
from workers.worker import Worker


class AskedSupply:
    """Tells whether a gateway waits for a ticket."""

    def __init__(self, awaited: bool | Exception) -> None:
        self.awaited = awaited
        self.asked: list[tuple[str, str]] = []

    def is_awaited(self, reply_queue: str, ticket: str) -> bool:
        self.asked.append((reply_queue, ticket))
        if isinstance(self.awaited, Exception):
            raise self.awaited
        return self.awaited

    def renew(self) -> None:
        pass


def load_signed(worker: Worker, awaited: bool | Exception, monkeypatch: pytest.MonkeyPatch) -> AskedSupply:
    monkeypatch.setattr(worker_module, "message_keys", lambda: Keys("a key that nobody guesses"))
    supply = AskedSupply(awaited)
    worker._supply = supply  # type: ignore[assignment]
    worker.load_later(VERSION, "replies.1", "ticket")
    worker._loader.stop(wait=True)
    return supply


def test_with_a_key_a_version_is_loaded_when_its_gateway_waits_for_it(
    worker: Worker, networks: PretendedNetworks, monkeypatch: pytest.MonkeyPatch
) -> None:
    supply = load_signed(worker, True, monkeypatch)

    assert supply.asked == [("replies.1", "ticket")]
    assert networks.acquired == [VERSION]


@pytest.mark.parametrize("awaited", [False, SupplyError("no gateway answered in time")], ids=repr)
def test_with_a_key_a_recorded_weight_change_loads_nothing(
    awaited: bool | Exception, worker: Worker, networks: PretendedNetworks, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = refusals.count

    load_signed(worker, awaited, monkeypatch)

    assert networks.acquired == []
    assert refusals.count == before + 1


def test_without_a_key_no_gateway_is_asked(worker: Worker, networks: PretendedNetworks) -> None:
    supply = AskedSupply(False)
    worker._supply = supply  # type: ignore[assignment]
    worker.load_later(VERSION, "replies.1", "ticket")
    worker._loader.stop(wait=True)

    assert supply.asked == []
    assert networks.acquired == [VERSION]


def test_a_flood_of_weight_changes_waits_in_bounded_memory(
    worker: Worker, networks: PretendedNetworks, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = threading.Event()
    monkeypatch.setattr(worker, "_load", lambda _: "" if held.wait(SOON_SECONDS) else "late")
    before = refusals.count
    try:
        for number in range(WAITING_MAX + 100):
            worker.load_later(VERSION, "nowhere", str(number))
        assert refusals.count == before + 100
    finally:
        held.set()
