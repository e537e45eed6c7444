"""Clients that send half a request, nothing at all, or no HTTP: nobody else waits, and every answer is JSON."""

from __future__ import annotations

import json
import resource
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from inference.client.http_client import PipelineClient
from tests.support.system import System
from tests.support.waiting import wait_until

HALF = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
BODY = b'{"vector": [0.3, 0.7]}'
HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(BODY)
SILENT_CLIENTS = 700
CLIENT_TIMEOUT_SECONDS = 6.0
#: What a machine with two processors and a thousand sockets may need beyond that.
MARGIN_SECONDS = 4.0


@pytest.fixture(scope="module", autouse=True)
def _enough_files() -> Iterator[None]:
    """Many systems allow a process 1024 files; this one, and no other, is given more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY else 65_536, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The embedded service, one gateway process, with the first sample network."""
    settings = {"PIPELINE_CLIENT_TIMEOUT": str(CLIENT_TIMEOUT_SECONDS)}
    system = System(tmp_path_factory.mktemp("silent"), broker_url="", **settings)
    try:
        yield system.start(workers=0, embedded=True).load_first_sample()
    finally:
        system.stop()


def read_to_end(client: socket.socket) -> tuple[int, dict[str, Any]]:
    """The status and the JSON body of the last answer, and that the gateway closes the connection after it."""
    received = b""
    while more := client.recv(65536):
        received += more
    head, _, body = received[received.rindex(b"HTTP/1.1 ") :].partition(b"\r\n\r\n")
    assert b"content-type: application/json" in head.lower(), received
    answer: dict[str, Any] = json.loads(body)
    return int(head.split()[1]), answer


@pytest.mark.parametrize("sent", [HALF, b"", b"GET /status HTTP/1.1\r\n", HALF.replace(b"/predict", b"/status")])
def test_many_silent_clients_leave_the_gateway_to_the_others(service: System, sent: bytes) -> None:
    with ExitStack() as open_sockets:
        for _ in range(SILENT_CLIENTS):
            client = open_sockets.enter_context(service.connect())
            client.sendall(sent)
        started = time.monotonic()
        behind_them = PipelineClient(service.url)  # connections are accepted in the order they were made
        assert behind_them.status(60.0)["workers_count"] == 1
        assert behind_them.predict([0.3, 0.7])["status"] is True
        took = time.monotonic() - started
    assert took < MARGIN_SECONDS, f"{took:.1f} s beside {SILENT_CLIENTS} clients that sent {sent!r}"


@pytest.mark.parametrize("sent", [HALF, HALF[:20], (HEAD + BODY).replace(b"close", b"keep-alive") + HALF])
def test_a_request_whose_rest_does_not_come_is_answered_408(service: System, sent: bytes) -> None:
    with service.connect() as client:
        client.sendall(sent)
        started = time.monotonic()
        status, answer = read_to_end(client)
    assert (status, answer["status"]) == (408, False)
    assert "did not come in time" in answer["message"]
    assert CLIENT_TIMEOUT_SECONDS * 0.9 < time.monotonic() - started < CLIENT_TIMEOUT_SECONDS + MARGIN_SECONDS


def test_a_client_that_asks_before_it_sends_its_body_is_told_to_go_on(service: System) -> None:
    with service.connect() as client:
        client.sendall(HEAD.replace(b"Host: x", b"Host: x\r\nExpect: 100-continue"))
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(BODY)
        status, answer = read_to_end(client)
    assert (status, answer["status"]) == (200, True)


def test_clients_that_leave_in_the_middle_are_not_noted_in_the_log(service: System) -> None:
    large = HALF.replace(b"100", b"100000")
    with service.connect() as client:
        client.sendall(large.replace(b"Host: x", b"Host: x\r\nExpect: 100-continue"))
        assert client.recv(100).startswith(b"HTTP/1.1 100 ")  # the body is waited for
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # its end is a reset
    with service.connect() as client:
        client.sendall(large)
        assert read_to_end(client)[0] == 408
    log = (service.directory / "log" / "gateway.log").read_text()
    assert "Traceback" not in log, log


def test_a_body_that_comes_slowly_is_waited_for_longer_than_one_timeout(service: System) -> None:
    parts = [BODY[:5], BODY[5:10], BODY[10:]]
    pause = CLIENT_TIMEOUT_SECONDS * 0.6
    with service.connect() as client:
        started = time.monotonic()
        client.sendall(HEAD)
        for number, part in enumerate(parts, start=1):
            due = started + number * pause
            wait_until(lambda due=due: time.monotonic() >= due, pause + MARGIN_SECONDS, "the next part is due")
            client.sendall(part)
        status, answer = read_to_end(client)
    assert time.monotonic() - started > CLIENT_TIMEOUT_SECONDS
    assert (status, answer["status"]) == (200, True)


@pytest.mark.parametrize(
    ("head", "block"),
    [
        (b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000000\r\n\r\n", bytes(1 << 20)),
        (
            b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"100000\r\n%b\r\n" % bytes(1 << 20),
        ),
    ],
    ids=["length", "chunks"],
)
def test_a_client_that_sends_without_end_leaves_the_gateway_to_the_others(
    service: System, head: bytes, block: bytes
) -> None:
    sending, enough = threading.Event(), threading.Event()

    def send() -> None:
        while not enough.is_set():  # again on a new connection, when the gateway has refused it and cut it off
            with service.connect() as client, suppress(ConnectionError):
                client.sendall(head)
                sending.set()
                while not enough.is_set():
                    client.sendall(block)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        assert sending.wait(MARGIN_SECONDS)
        for _ in range(5):
            with service.connect() as another:
                another.settimeout(MARGIN_SECONDS)
                another.sendall(HEAD + BODY)
                assert read_to_end(another)[0] == 200
    finally:
        enough.set()
        thread.join(60.0)


def test_clients_that_never_close_do_not_stop_new_connections(service: System) -> None:
    """gunicorn waits for them where it accepts connections."""
    with ExitStack() as open_sockets:
        for _ in range(20):
            client = open_sockets.enter_context(service.connect())
            client.sendall(b"GET /status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        started = time.monotonic()
        with service.connect() as another:
            another.sendall(HEAD + BODY)
            assert read_to_end(another)[0] == 200
        assert time.monotonic() - started < MARGIN_SECONDS


def test_when_every_connection_is_taken_the_longest_idle_one_makes_room(service: System) -> None:
    worker_connections = (256 + 32) * 4
    with ExitStack() as open_sockets:
        idle = [open_sockets.enter_context(service.connect()) for _ in range(worker_connections + 100)]
        assert PipelineClient(service.url).status(60.0)["workers_count"] == 1
        idle[0].settimeout(MARGIN_SECONDS)
        assert idle[0].recv(1) == b""


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET /status HTTP/9.9\r\n\r\n", 400),
        (b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET /status HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 10_000 + b"\r\n\r\n", 431),
        (b"GET /status HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n", 400),
        (b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: some\r\n\r\n", 400),
        (b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: odd\r\n\r\n", 501),
    ],
)
def test_what_is_no_http_is_refused_in_json(service: System, sent: bytes, status: int) -> None:
    with service.connect() as client:
        client.sendall(sent)
        answered, answer = read_to_end(client)
    assert (answered, answer["status"]) == (status, False)
    assert answer["message"]
    assert set(answer) == {"status", "message"}
