"""Bodies that come in chunks or compressed, as some clients send them: read like others, and as bounded."""

from __future__ import annotations

import gzip
import socket
import struct
import zlib
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import orjson
import pytest
import requests

from tests.fuzz.http.answers import read_answers
from tests.support.samples import Sample, samples
from tests.support.system import System

MAX_BODY_BYTES, MAX_UPLOAD_BYTES = 300_000, 3_000_000
ROW, BOUNDARY = [0.3, 0.7], "b"
JSON = orjson.dumps({"vector": ROW})
#: More than is read in one piece.
LARGE_JSON = orjson.dumps({"data": [ROW] * 20_000})
FORM_TYPE = f"multipart/form-data; boundary={BOUNDARY}"

#: How a body is sent: what it is made into, and what is said of it.
Compress = Callable[[bytes], bytes]
CODINGS: dict[str, Compress] = {"identity": lambda body: body, "gzip": gzip.compress, "deflate": zlib.compress}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The embedded service with the first sample network, and small limits."""
    limits = {"PIPELINE_MAX_BODY_BYTES": str(MAX_BODY_BYTES), "PIPELINE_MAX_UPLOAD_BYTES": str(MAX_UPLOAD_BYTES)}
    system = System(tmp_path_factory.mktemp("streamed"), broker_url="", PIPELINE_CLIENT_TIMEOUT="3", **limits)
    try:
        yield system.start(workers=0, embedded=True).load_first_sample()
    finally:
        system.stop()


def pieces(body: bytes) -> Iterator[bytes]:
    """A body in pieces; whoever sends them does not know how many there are."""
    for at in range(0, len(body), 10_000):
        yield body[at : at + 10_000]


def form(sample: Sample, end: bytes = b"\r\n--b--\r\n") -> bytes:
    """An upload of a sample network."""
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="nn_id"\r\n\r\n{sample.nn_id}\r\n'
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="data"; filename="{sample.file.name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return head.encode() + sample.file.read_bytes() + end


def ask(service: System, body: Any, coding: str = "identity", path: str = "/predict") -> requests.Response:
    """POST a prediction or PUT an upload, on a connection of its own."""
    headers = {"Content-Encoding": coding, "Content-Type": FORM_TYPE if path == "/set_weights" else "application/json"}
    method = "PUT" if path == "/set_weights" else "POST"
    return requests.request(method, service.url + path, data=body, headers=headers, timeout=60)


def assert_refused(answer: requests.Response, status: int, says: str) -> None:
    told = answer.json()
    assert (answer.status_code, told["status"]) == (status, False), told
    assert says in told["message"]


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("in_chunks", [False, True])
@pytest.mark.parametrize("body", [JSON, LARGE_JSON], ids=["small", "large"])
def test_a_prediction_is_read_however_it_is_sent(service: System, body: bytes, coding: str, in_chunks: bool) -> None:
    sent = CODINGS[coding](body)
    answer = ask(service, pieces(sent) if in_chunks else sent, coding).json()

    assert answer["status"] is True
    results = np.array(answer["result"]).reshape(-1)
    assert len(results) == len(orjson.loads(body).get("data", [ROW]))
    assert np.abs(results - 1.0).max() < 0.01


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("in_chunks", [False, True])
def test_an_upload_is_read_however_it_is_sent(service: System, coding: str, in_chunks: bool) -> None:
    sample = samples()[1]
    sent = CODINGS[coding](form(sample))
    answer = ask(service, pieces(sent) if in_chunks else sent, coding, "/set_weights").json()
    assert answer["status"] is True, answer

    nn_id, version = sample.nn_id, answer["version"]
    uploaded = requests.get(f"{service.url}/networks/{nn_id}/versions/{version}/weights", timeout=60).content
    loaded = service.client.set_weights(nn_id, sample.file.name, sample.file.read_bytes())
    assert uploaded == requests.get(
        f"{service.url}/networks/{nn_id}/versions/{loaded['version']}/weights", timeout=60
    ).content  # fmt: skip


def test_the_standard_librarys_client_may_send_chunks_on_one_connection(service: System) -> None:
    connection = HTTPConnection(urlsplit(service.url).netloc, timeout=60)
    for _ in range(3):
        connection.request("POST", "/predict", pieces(JSON), encode_chunked=True)
        answer = connection.getresponse()
        assert orjson.loads(answer.read())["status"] is True
    connection.request("PUT", "/set_weights", pieces(form(samples()[0])), {"Content-Type": FORM_TYPE})
    assert orjson.loads(connection.getresponse().read())["status"] is True
    connection.close()


def test_a_client_that_would_like_to_upgrade_is_answered_as_others(service: System) -> None:
    """Java's sends such requests unless it is told not to."""
    wish = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAA\r\n"
    head = f"POST /predict HTTP/1.1\r\nHost: h\r\n{wish}Content-Length: {len(JSON)}\r\n\r\n"
    with service.connect() as client:
        client.sendall((head.encode() + JSON) * 2)
        client.shutdown(socket.SHUT_WR)
        answers = read_answers(client.makefile("rb").read())
    assert [answer.json()["status"] for answer in answers] == [True, True]


@pytest.mark.parametrize("path", ["/predict", "/set_weights"])
@pytest.mark.parametrize("coding", ["gzip", "deflate"])
@pytest.mark.parametrize("in_chunks", [False, True])
def test_a_few_bytes_that_stand_for_many_are_refused(service: System, path: str, coding: str, in_chunks: bool) -> None:
    bomb = CODINGS[coding]((form(samples()[0], end=b"") if path == "/set_weights" else b"") + b" " * 100_000_000)
    assert len(bomb) < MAX_BODY_BYTES
    assert_refused(ask(service, pieces(bomb) if in_chunks else bomb, coding, path), 413, "this gateway takes")


@pytest.mark.parametrize(("path", "limit"), [("/predict", MAX_BODY_BYTES), ("/set_weights", MAX_UPLOAD_BYTES)])
def test_chunks_whose_sum_is_too_large_are_refused(service: System, path: str, limit: int) -> None:
    body = form(samples()[0], end=b"") if path == "/set_weights" else b""
    assert_refused(ask(service, pieces(body + b" " * (limit + 1)), path=path), 413, "this gateway takes")


@pytest.mark.parametrize("path", ["/predict", "/set_weights"])
def test_what_is_not_compressed_as_it_says_is_refused(service: System, path: str) -> None:
    sent = form(samples()[0]) if path == "/set_weights" else JSON
    assert_refused(ask(service, sent, "gzip", path), 400, "not compressed as its Content-Encoding says")
    assert_refused(ask(service, gzip.compress(sent)[:-9], "gzip", path), 400, "broke off")
    assert_refused(ask(service, sent, "br", path), 415, "send gzip, deflate, or none")


def stored(service: System) -> Any:
    """How much the gateway keeps of uploads."""
    return service.query("[Version.objects.count(), StoredFile.objects.count()]")


@pytest.mark.parametrize("how", ["it ends", "it is reset", "it falls silent"])
@pytest.mark.parametrize("framing", [f"Content-Length: {MAX_UPLOAD_BYTES}", "Transfer-Encoding: chunked"])
def test_an_upload_that_is_cut_off_leaves_nothing(service: System, framing: str, how: str) -> None:
    before, body = stored(service), form(samples()[2], end=b"") + b"A" * (MAX_UPLOAD_BYTES // 2)
    sent = body if "Length" in framing else b"%x\r\n%b\r\n" % (len(body), body)
    head = f"PUT /set_weights HTTP/1.1\r\nHost: h\r\nContent-Type: {FORM_TYPE}\r\n{framing}\r\n"
    with service.connect() as client:
        client.sendall(head.encode() + b"Expect: 100-continue\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 100 ")  # it is read from now on
        client.sendall(sent)
        if how == "it is reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            if how == "it ends":
                client.shutdown(socket.SHUT_WR)
            (answer,) = read_answers(client.makefile("rb").read())
            assert (answer.status, answer.is_last) == (400 if how == "it ends" else 408, True)
            assert answer.json()["status"] is False

    assert service.client.predict(ROW)["status"] is True
    assert stored(service) == before
    assert list((service.directory / "var" / "uploads").iterdir()) == []
    assert "Traceback" not in (service.directory / "log" / "gateway.log").read_text()
