"""The answers that gunicorn gives itself."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn import util
from gunicorn.config import Config
from gunicorn.http.errors import InvalidHeader, LimitRequestHeaders
from gunicorn.workers.base import Worker

from gateway_site.observed import Observed
from gateway_site.refusal import Refused, write_error
from inference.monitoring import observations
from workers.messages.request_id import handling

OBSERVED = Observed(lambda *_: [])
ASKED = SimpleNamespace(method="POST", path="/predict", headers=[("HOST", "h")])


class Client:
    """What is sent to it."""

    def __init__(self) -> None:
        self.sent = b""

    def sendall(self, data: bytes) -> None:
        self.sent += data


@pytest.fixture(autouse=True)
def nothing_observed() -> None:
    observations.requests.clear()


def refuse(request: Any, status: int, message: str) -> tuple[list[str], Any]:
    client = Client()
    with handling("an-id"):
        write_error(Refused(client, request, OBSERVED), status, "", message)
    head, _, body = client.sent.decode("ascii").partition("\r\n\r\n")
    assert f"Content-Length: {len(body)}" in head
    return head.split("\r\n"), json.loads(body)


def test_it_is_json_and_has_an_id() -> None:
    head, body = refuse(ASKED, 408, 'it is "späť"')

    assert head[0] == "HTTP/1.1 408 Request Timeout"
    assert {"X-Request-ID: an-id", "Connection: close", "Content-Type: application/json"} <= set(head)
    assert body == {"status": False, "message": 'it is "späť"'}


def test_it_is_counted_by_its_address_as_far_as_it_was_read() -> None:
    refuse(ASKED, 408, "")
    refuse(None, 431, "")

    assert list(observations.requests) == [("/predict", "POST", "408", None), ("other", "other", "431", None)]


@pytest.mark.parametrize(
    ("error", "status"), [(InvalidHeader("a\nb"), 400), (LimitRequestHeaders("too many"), 431), (OSError(), 500)]
)
def test_gunicorn_answers_so(error: Exception, status: int) -> None:
    assert util.write_error is write_error
    client, worker = Client(), SimpleNamespace(log=SimpleNamespace(), cfg=Config())
    worker.log.warning = worker.log.exception = worker.log.debug = lambda *_: None

    with handling("an-id"):
        Worker.handle_error(worker, None, Refused(client, None, OBSERVED), ("192.0.2.7", 1), error)

    assert client.sent.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"X-Request-ID: an-id" in client.sent


def test_an_id_is_of_one_request_only() -> None:
    assert OBSERVED.identify("mine") == "mine"
    assert len({OBSERVED.identify(None), OBSERVED.identify(None), OBSERVED.identify("not sane")}) == 3
