"""How a gateway process looks after its clients."""

from __future__ import annotations

import asyncio
import logging
from unittest.mock import AsyncMock

import pytest
from uvicorn.server import Server

from gateway_site.http_protocol import ClientConnection
from gateway_site.http_worker import END_SECONDS, LOOK_SECONDS
from gateway_site.pace import Pace
from inference.http.responses import ENDING
from tests.unit.gateway_site.pretended_clients import SILENT_SECONDS, Gateway

HALF = b"GET /x HTTP/1.1\r\n"


def test_a_connection_that_cannot_be_looked_at_is_cut_off_and_the_others_are_looked_at(
    server: Gateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clients = [server.connect().sends(HALF) for _ in range(3)]
    look = ClientConnection.look

    def fail(self: ClientConnection, now: float, since: float) -> None:
        if self is clients[1].connection:
            raise RuntimeError("a defect")
        look(self, now, since)

    monkeypatch.setattr(ClientConnection, "look", fail)
    server.wait(SILENT_SECONDS + LOOK_SECONDS)

    assert [client.statuses for client in clients] == [[408], [], [408]]
    assert clients[1].transport.is_aborted
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [record.getMessage() for record in errors] == ["A connection could not be looked at: it is cut off."]


def test_clients_are_not_blamed_for_a_loop_that_was_busy(server: Gateway) -> None:
    client = server.connect().sends(HALF)
    looks = server.loop.create_task(server.process._look_at_clients())
    server.turn()
    for _ in range(3):
        server.loop.now += 2 * SILENT_SECONDS
        server.turn()
    assert client.received == b""
    for _ in range(round(SILENT_SECONDS / LOOK_SECONDS)):
        server.loop.now += LOOK_SECONDS
        server.turn()
    assert client.statuses == [408]
    looks.cancel()
    with pytest.raises(asyncio.CancelledError):
        server.loop.run_until_complete(looks)


def test_gunicorn_is_told_that_a_process_lives_also_while_it_begins_or_ends(
    server: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = asyncio.Event()
    monkeypatch.setattr(Server, "_serve", lambda *_: over.wait())
    serving = server.loop.create_task(server.process._serve())
    server.turn()
    for _ in range(3):
        server.loop.now += LOOK_SECONDS
        server.turn()
    assert server.beats == 3
    over.set()
    server.turn()
    assert serving.done()


def test_a_process_that_ends_waits_for_its_clients_until_it_is_told_to_end_at_once(server: Gateway) -> None:
    server.application.hold()
    client = server.connect().sends(HALF + b"\r\n")
    server.process.servers, server.process.lifespan = [], AsyncMock()
    ending = server.loop.create_task(server.process.shutdown())
    for _ in range(100):
        server.loop.now += 2 * END_SECONDS
        server.turn()
    assert client.received == b""
    assert not ending.done()
    server.process.quit()
    server.loop.now += 2 * END_SECONDS
    server.turn()

    (answer,) = client.answers
    assert (answer.status, answer.is_last, answer.json()["message"]) == (503, True, ENDING)
    assert ending.done()


def test_what_is_waited_for_in_turns_is_measured_in_all() -> None:
    pace = Pace(10.0)
    assert not pace.is_lost(10.0)
    pace.note(0)
    assert not pace.is_lost(10.0)
    pace.note(16 * 1024)
    assert not pace.is_lost(10.0)
    pace.note(0)
    assert not pace.is_lost(1.0)
    assert pace.is_lost(0.5)
    pace.begin()
    assert not pace.is_lost(10.0)
    assert pace.is_lost(0.5)
