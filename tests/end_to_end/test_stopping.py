"""A gateway that is told to stop: requests that are there are answered, idle connections do not keep it."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.system import System
from tests.support.waiting import wait_until

BODY = b'{"vector": [0.3, 0.7]}'
HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(BODY)
STATUS = b"GET /status HTTP/1.1\r\nHost: x\r\n\r\n"
#: Far less than an idle connection, or a half-sent request, may last.
STOP_SECONDS = 8.0


@pytest.fixture
def service(tmp_path: Path) -> Iterator[System]:
    """The embedded service with the first sample network."""
    system = System(tmp_path, broker_url="")
    try:
        yield system.start(workers=0, embedded=True).load_first_sample()
    finally:
        system.stop()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_idle_connections_do_not_keep_a_gateway_that_is_to_stop(service: System, how: signal.Signals) -> None:
    with service.connect() as idle, service.connect() as silent:
        idle.sendall(HEAD + BODY)
        assert idle.recv(65536).startswith(b"HTTP/1.1 200")
        assert service.gateway.pid is not None
        started = time.monotonic()
        os.kill(service.gateway.pid, how)
        assert service.gateway.wait(STOP_SECONDS), f"still running after {time.monotonic() - started:.1f} s"
        for client in (idle, silent):
            assert client.recv(1) == b""


@pytest.mark.parametrize(("first", "rest"), [(HEAD, BODY), (HEAD[:30], HEAD[30:] + BODY), (STATUS[:9], STATUS[9:])])
def test_a_request_that_was_begun_is_answered_before_the_gateway_stops(
    service: System, first: bytes, rest: bytes
) -> None:
    with service.connect() as client, service.connect() as idle:
        client.sendall(first)
        idle.sendall(HEAD + BODY)  # when this one is answered, the first half of the other has been read
        assert idle.recv(65536).startswith(b"HTTP/1.1 200")
        service.gateway.ask_to_stop()
        wait_until(lambda: idle.recv(1) == b"", STOP_SECONDS, "the gateway has begun to stop")
        client.sendall(rest)
        received = b""
        while more := client.recv(65536):
            received += more
        head, _, body = received.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        assert b"connection: close" in head.lower()
        assert json.loads(body)["status"] is True
        assert service.gateway.wait(STOP_SECONDS)


FORM = b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 900000\r\n\r\n" + b"x" * 200_000


def test_a_gateway_that_is_to_stop_at_once_tells_whom_it_does_not_answer(service: System) -> None:
    half = [HEAD, STATUS[:9], b"PUT /set_weights HTTP/1.1\r\nHost: x\r\n" + FORM]
    clients = [service.connect() for _ in half]
    try:
        for client, sent in zip(clients, half, strict=True):
            client.sendall(sent)
        with service.connect() as another:
            another.sendall(HEAD + BODY)
            assert another.recv(65536).startswith(b"HTTP/1.1 200")
        assert service.gateway.pid is not None
        os.kill(service.gateway.pid, signal.SIGINT)
        received = [client.makefile("rb").read() for client in clients]
        assert service.gateway.wait(STOP_SECONDS)
    finally:
        for client in clients:
            client.close()

    for answer in (received[0], received[2]):
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503")
        assert b"\r\nconnection: close" in head.lower()
        assert json.loads(body) == {"status": False, "message": "this gateway process ends: ask again"}
    assert received[1] == b""
    log = (service.directory / "log" / "gateway.log").read_text()
    assert "Traceback" not in log, log
