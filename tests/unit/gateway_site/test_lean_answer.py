"""The way from gunicorn's parser to the application and back is gunicorn's own in all that a client and Django see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.http import wsgi
from gunicorn.http.parser import RequestParser

from gateway_site.lean_answer import LeanAnswer

CLIENT, SERVER = ("192.0.2.7", 40001), ("192.0.2.1", 54321)
#: What gunicorn gives applications of other kinds.
NOT_GIVEN = {"RAW_URI", "gunicorn.socket", "wsgi.early_hints"}
PLAIN = b"POST /predict HTTP/1.1\r\nHost: here:54321\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
REPEATED = b"POST /predict?a=%20b HTTP/1.1\r\nHost: here\r\nX-A: 1\r\nX-A: 2\r\nx-b-c: d\r\nContent-Length: 0\r\n\r\n"
LATIN = (
    b"POST /predict HTTP/1.1\r\nHost: h\r\nX-Name: caf\xe9\r\nCookie: a=b\r\nCookie: c=d\r\nContent-Length: 0\r\n\r\n"
)
FORWARDED = b"POST /predict HTTP/1.1\r\nHost: h\r\nX-Forwarded-Proto: https\r\nContent-Length: 0\r\n\r\n"


class Sent:
    """A client's connection of which one request has been read."""

    def __init__(self, request: bytes = b"") -> None:
        self.request = request
        self.answer = b""

    def recv(self, size: int) -> bytes:
        given, self.request = self.request[:size], self.request[size:]
        return given

    def sendall(self, data: bytes) -> None:
        self.answer += data


def parse(raw: bytes, cfg: Config) -> Any:
    return next(RequestParser(cfg, Sent(raw), CLIENT))


class Application:
    """Notes what it is given, and answers the same each time."""

    def __init__(self, status: str = "200 OK") -> None:
        self.status = status
        self.environ: dict[str, Any] = {}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        self.environ = environ
        start_response(self.status, [("Content-Type", "application/json"), ("Content-Length", "2")])
        return [b"{}"]


@pytest.mark.parametrize("forwarded", ["127.0.0.1", "*"])
@pytest.mark.parametrize("raw", [PLAIN, REPEATED, LATIN, FORWARDED])
def test_the_application_is_given_what_gunicorn_gives(raw: bytes, forwarded: str) -> None:
    cfg = Config()
    cfg.set("forwarded_allow_ips", forwarded)
    application = Application()
    LeanAnswer(cfg, application).answer(parse(raw, cfg), Sent(), CLIENT, SERVER, closing=False)
    _, expected = wsgi.create(parse(raw, cfg), Sent(), CLIENT, SERVER, cfg)

    given = application.environ
    assert given.pop("wsgi.input").read() == expected.pop("wsgi.input").read()
    assert isinstance(given.pop("wsgi.errors"), type(expected.pop("wsgi.errors")))
    assert given == {key: value for key, value in expected.items() if key not in NOT_GIVEN} | {"wsgi.multithread": True}


@pytest.mark.parametrize("closing", [False, True])
@pytest.mark.parametrize("status", ["200 OK", "503 Service Unavailable"])
def test_the_client_is_sent_what_gunicorn_sends(status: str, closing: bool) -> None:
    cfg, application, sent, expected = Config(), Application(status), Sent(), Sent()
    LeanAnswer(cfg, application).answer(parse(PLAIN, cfg), sent, CLIENT, SERVER, closing)
    response, environ = wsgi.create(parse(PLAIN, cfg), expected, CLIENT, SERVER, cfg)
    if closing:
        response.force_close()
    for piece in application(environ, response.start_response):
        response.write(piece)

    assert parts(sent.answer) == parts(expected.answer)


def parts(answer: bytes) -> tuple[bytes, set[bytes], bytes]:
    """The status line, the headers but for the second in `Date`, and the body."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *headers = head.split(b"\r\n")
    assert len(set(headers)) == len(headers)
    return status, {b"Date" if header.startswith(b"Date: ") else header for header in headers}, body


@pytest.mark.parametrize(
    ("name", "value"), [("accesslog", "-"), ("statsd_host", "127.0.0.1:8125"), ("max_requests", 5), ("syslog", True)]
)
def test_what_gunicorn_counts_or_logs_goes_its_own_way(name: str, value: Any) -> None:
    class Worker:
        cfg = Config()
        wsgi = Application()

    assert LeanAnswer.for_worker(with_log(Worker)) is not None
    Worker.cfg.set(name, value)
    assert LeanAnswer.for_worker(with_log(Worker)) is None


def with_log(worker: Any) -> Any:
    """The worker, with gunicorn's log as it is by the settings; not set up, since that opens files and sockets."""
    worker.log = Logger.__new__(Logger)
    worker.log.cfg = worker.cfg
    return worker
