"""Clients that are slow, not silent: a byte a second of a head, a body, an upload. Nobody waits for them for ever."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from gateway_site import pace
from inference.http.large_bodies import LARGEST_BODIES, SLOW_SECONDS
from tests.end_to_end.test_silent_clients import _enough_files as _enough_files
from tests.support.keep_alive import KeptConnection, post_request
from tests.support.large_network import LARGE_NN_ID, save_large_network
from tests.support.system import System

CLIENTS = 500
CLIENT_TIMEOUT_SECONDS = 1.5
#: What a request may take in all, and what a busy machine may need beyond that.
WHOLE_REQUEST_SECONDS = CLIENT_TIMEOUT_SECONDS * pace.PATIENCE
MARGIN_SECONDS = 6.0
PREDICTIONS = 300
LARGEST_BODY_BYTES = 200_000
#: What a client takes that reads slowly; far more than the kernel takes for it.
LARGE_MEGABYTES, SLOW_BYTES_A_SECOND = 12, 800_000

BODY = b'{"vector": [0.3, 0.7]}' + b" " * 100
HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\nX-Slow: %b\r\nContent-Length: %d\r\n" % (b"x" * 100, len(BODY))
FORM = b'--b\r\nContent-Disposition: form-data; name="nn_id"\r\n\r\n' + b"0" * 100_000
UPLOAD = b"PUT /set_weights HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
#: How much of what a client sends at once, and the rest byte by byte.
KINDS = {
    "head": (HEAD[:20], HEAD + b"\r\n" + BODY),
    "body": (HEAD + b"\r\n", HEAD + b"\r\n" + BODY),
    "upload": (UPLOAD + b"Content-Length: 100000\r\n\r\n", UPLOAD + b"Content-Length: 100000\r\n\r\n" + FORM),
    "large": (
        HEAD[:30] + b"\r\nContent-Length: 100000\r\n\r\n",
        HEAD[:30] + b"\r\nContent-Length: 100000\r\n\r\n" + FORM,
    ),
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The embedded service, one gateway process, with the first sample network."""
    settings = {
        "PIPELINE_CLIENT_TIMEOUT": str(CLIENT_TIMEOUT_SECONDS),
        "PIPELINE_MAX_BODY_BYTES": str(LARGEST_BODY_BYTES),
    }
    system = System(tmp_path_factory.mktemp("slow"), broker_url="", **settings)
    try:
        yield system.start(workers=0, embedded=True).load_first_sample()
    finally:
        system.stop()


class SlowClients:
    """Clients that send a byte a second each, in a thread, until the gateway ends their connections."""

    def __init__(self, service: System) -> None:
        self._began = time.monotonic()
        self.ended: list[tuple[float, bytes]] = []
        self._open: dict[socket.socket, tuple[bytes, int]] = {}
        for number in range(CLIENTS):
            at_once, whole = list(KINDS.values())[number % len(KINDS)]
            client = service.connect()
            client.sendall(at_once)
            client.setblocking(False)
            self._open[client] = whole, len(at_once)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def wait(self) -> None:
        self._thread.join(WHOLE_REQUEST_SECONDS + 10 * MARGIN_SECONDS)

    def _run(self) -> None:
        selector = selectors.DefaultSelector()
        for client in self._open:
            selector.register(client, selectors.EVENT_READ)
        next_byte, last = self._began + 1, self._began + WHOLE_REQUEST_SECONDS + MARGIN_SECONDS
        while self._open and time.monotonic() < last:
            for key, _ in selector.select(max(0.0, next_byte - time.monotonic())):
                client: socket.socket = key.fileobj  # type: ignore[assignment]
                selector.unregister(client)
                del self._open[client]
                with suppress(ConnectionError), client:
                    self.ended.append((time.monotonic() - self._began, client.recv(1000)))
            if time.monotonic() >= next_byte:
                next_byte += 1
                self._send_a_byte_each()
        for client in self._open:
            client.close()

    def _send_a_byte_each(self) -> None:
        for client, (whole, sent) in self._open.items():
            with suppress(OSError):
                client.send(whole[sent : sent + 1])
            self._open[client] = whole, sent + 1


def p99_ms(service: System, count: int = PREDICTIONS) -> float:
    """Of predictions on one connection."""
    connection, asked = KeptConnection(service.url, 60.0), post_request(service.url, "/predict", {"vector": [0.3, 0.7]})
    times = []
    for _ in range(count):
        began = time.perf_counter()
        status, answer = connection.ask(asked)
        times.append(time.perf_counter() - began)
        assert status == 200
        assert abs(answer["result"] - 1.0) < 0.01
    connection.close()
    return float(np.percentile(times, 99)) * 1000


def test_nobody_waits_for_500_slow_clients_and_none_keeps_its_place(service: System) -> None:
    p99_ms(service)
    alone = p99_ms(service)
    slow = SlowClients(service)
    beside = p99_ms(service)
    slow.wait()

    assert beside < 3 * alone + 20, f"p99 {beside:.1f} ms beside slow clients, {alone:.1f} ms without"
    assert len(slow.ended) == CLIENTS, f"{CLIENTS - len(slow.ended)} are still there"
    answers = Counter(answer[9:12] for _, answer in slow.ended)
    assert set(answers) <= {b"408", b"503", b""}, answers  # 503 where a large body found no room
    assert answers[b"408"] + answers[b"503"] > CLIENTS * 0.9, answers


def test_when_every_connection_is_taken_the_slowest_makes_room(service: System) -> None:
    worker_connections = (256 + 32) * 4
    slow = [service.connect() for _ in range(worker_connections)]
    try:
        for client in slow:
            client.sendall(HEAD[:20])
        began = time.monotonic()
        assert p99_ms(service, 5) > 0
        assert time.monotonic() - began < MARGIN_SECONDS
        slow[0].settimeout(MARGIN_SECONDS)
        assert b" 408 " in slow[0].recv(1000)
    finally:
        for client in slow:
            client.close()


def test_large_bodies_that_do_not_come_make_room_for_one_that_does(service: System) -> None:
    rows = b'{"data": [[0.3, 0.7]' + b", [0.3, 0.7]" * 16_000 + b"]}"
    assert LARGEST_BODY_BYTES * 0.9 < len(rows) < LARGEST_BODY_BYTES
    whole = HEAD.rpartition(b"Content-Length")[0] + b"Content-Length: %d\r\n\r\n" % len(rows) + rows
    slow = [service.connect() for _ in range(LARGEST_BODIES)]
    try:
        for client in slow:
            client.sendall(whole[: len(whole) // 2])
        began = time.monotonic()
        refusals = 0
        while (answer := ask(service, whole)).startswith(b"HTTP/1.1 503"):
            assert b"\r\nretry-after: " in answer.lower()
            refusals += 1
            assert time.monotonic() - began < SLOW_SECONDS + MARGIN_SECONDS, f"{refusals} refusals"
        assert answer.startswith(b"HTTP/1.1 200"), answer[:300]
    finally:
        for client in slow:
            client.close()


def test_who_reads_slowly_but_steadily_gets_all_of_it(service: System, tmp_path: Path) -> None:
    file = tmp_path / "large.keras"
    save_large_network(file, LARGE_MEGABYTES)
    answer = service.client.set_weights(LARGE_NN_ID, file.name, file.read_bytes())
    assert answer["status"] is True, answer
    address = f"/networks/{LARGE_NN_ID}/versions/{answer['version']}/weights"
    with service.connect() as client:
        client.sendall(f"GET {address} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        received, began = bytearray(), time.monotonic()
        while more := client.recv(SLOW_BYTES_A_SECOND // 10):
            received += more
            due = began + len(received) / SLOW_BYTES_A_SECOND
            time.sleep(max(0.0, due - time.monotonic()))  # a client's pace, not a wait for something

    assert time.monotonic() - began > 2 * WHOLE_REQUEST_SECONDS
    assert received.partition(b"\r\n\r\n")[2] == file.read_bytes()


def ask(service: System, request: bytes) -> bytes:
    """The beginning of the answer to a request."""
    with service.connect() as client:
        client.sendall(request)
        return client.recv(4096)
