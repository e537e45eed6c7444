"""What every request has: an id, and a note for /metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from http import HTTPStatus

import pytest

from inference.http.bodies.request_body import Message, Scope, Send
from inference.http.doors import Doors
from inference.http.exchange import EXCHANGE, Exchange
from inference.http.large_bodies import LargeBodies
from inference.http.loop_request import LoopAnswer, LoopRequest
from inference.http.observed import endpoint_of
from inference.http.predict_door import PredictDoor
from inference.monitoring import observations
from tests.unit.samples import NN_ID
from workers.messages.request_id import REQUEST_ID


def ask(
    path: str = "/predict",
    method: str = "POST",
    status: int = 200,
    ids: tuple[bytes, ...] = (),
    refusal: tuple[int, str] | None = None,
) -> tuple[str, str]:
    """The id that whoever answers sees, and the one that is answered."""
    seen: list[str] = []
    sent: list[Message] = []

    class Door(PredictDoor):
        async def __call__(self, asks: LoopRequest, named: Sequence[str | None] = ()) -> LoopAnswer:
            seen.append(REQUEST_ID.get())
            return LoopAnswer(b"{}", status)

    async def django(scope: Scope, asks: LoopRequest, send: Send) -> None:
        seen.append(REQUEST_ID.get())
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b"bo", "more_body": True})
        await send({"type": "http.response.body", "body": b"dy"})

    async def keep(message: Message) -> None:
        sent.append(message)

    async def nothing() -> Message:
        raise AssertionError("nobody reads the body here")

    headers = [(b"x-request-id", each) for each in ids]
    exchange = Exchange()
    exchange.refusal = refusal
    scope = {
        "type": "http", "path": path, "method": method, "headers": headers, "scheme": "http",
        "server": None, "client": None,
        "state": {EXCHANGE: exchange},
    }  # fmt: skip
    doors = Doors(django)
    doors.on_loop.find = lambda method, path: (  # type: ignore[method-assign]
        (Door(LargeBodies()), ()) if (method, path) == ("POST", "/predict") else None
    )
    asyncio.run(doors(scope, nothing, keep))
    start, *bodies = sent
    assert (start["type"], start["status"]) == ("http.response.start", status)
    assert {message["type"] for message in bodies} == {"http.response.body"}
    (answered,) = [value for name, value in start["headers"] if name == b"x-request-id"]
    return "".join(seen), answered.decode()


@pytest.fixture(autouse=True)
def nothing_observed() -> None:
    observations.requests.clear()
    observations.predict_requests.clear()


def test_a_request_has_an_id_that_is_answered() -> None:
    seen, answered = ask()

    assert seen == answered != ""


def test_every_request_has_another_id() -> None:
    assert len({ask()[0] for _ in range(100)}) == 100


@pytest.mark.parametrize("given", ["a", "0d3c5dff-a437-4c77", "Root=1-67891233-abcdef", "x" * 128])
def test_a_clients_own_id_is_taken(given: str) -> None:
    assert ask(ids=(given.encode(),)) == (given, given)


@pytest.mark.parametrize(
    "given", [b"", b" ", b"two words", b"x" * 129, b"a\nb", b"a\r\nSet-Cookie: x", b"\x7f", b"\xe9", b"a\0"]
)
def test_one_that_is_not_sane_is_not(given: bytes) -> None:
    seen, answered = ask(ids=(given,))

    assert seen == answered != given.decode("latin-1")
    assert seen.isprintable()


def test_of_two_ids_neither_is_taken() -> None:
    seen, answered = ask(ids=(b"one", b"two"))

    assert seen == answered
    assert seen not in ("one", "two", "one,two")


def test_a_prediction_is_noted_once() -> None:
    ask(status=503)

    [(endpoint, status, seconds)] = observations.predict_requests
    assert (endpoint, status) == ("/predict", "503")
    assert 0 <= seconds < 5
    assert not observations.requests


@pytest.mark.parametrize(
    ("path", "method", "status", "noted"),
    [
        ("/status", "GET", 200, ("/status", "GET", "200")),
        ("/predict", "GET", 405, ("/predict", "GET", "405")),
        (f"/networks/{NN_ID}/rollback", "POST", 409, ("/networks/<nn_id>/rollback", "POST", "409")),
        ("/nowhere", "BREW", 404, ("other", "other", "404")),
    ],
)
def test_what_is_no_prediction_is_noted_by_its_address(
    path: str, method: str, status: int, noted: tuple[str, str, str]
) -> None:
    ask(path, method, status)

    [request] = observations.requests
    assert request[:3] == noted
    assert request[3] is not None
    assert not observations.predict_requests


@pytest.mark.parametrize(
    ("path", "method", "noted"), [("/predict", "POST", ("/predict", "POST")), ("", "", ("other", "other"))]
)
def test_what_the_server_refuses_is_noted_as_far_as_it_was_read(path: str, method: str, noted: tuple[str, str]) -> None:
    """When it began, nobody knows."""
    ask(path, method, HTTPStatus.REQUEST_TIMEOUT, refusal=(HTTPStatus.REQUEST_TIMEOUT, "too slow"))

    assert list(observations.requests) == [(*noted, "408", None)]
    assert not observations.predict_requests


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/set_weights", "/set_weights"),
        ("/networks", "/networks"),
        (f"/networks/{NN_ID}", "/networks/<nn_id>"),
        (f"/networks/{NN_ID}/versions/12", "/networks/<nn_id>/versions/<n>"),
        (f"/networks/{NN_ID}/versions/12/weights", "/networks/<nn_id>/versions/<n>/weights"),
        ("/networks/by-name", "/networks/<nn_id>"),
        ("/networks/no network", "other"),
        ("/v2", "/v2"),
        ("/v2/health/ready", "/v2/health/ready"),
        ("/v2/models/stats", "/v2/models/stats"),
        ("/v2/models/iris", "/v2/models/<name>"),
        ("/v2/models/iris/versions/3/infer", "/v2/models/<name>/infer"),
        (f"/v2/models/{NN_ID}/ready", "/v2/models/<name>/ready"),
        ("/v2/models/iris/metadata", "other"),
        ("/v2/repository/models/iris/load", "/v2/repository/models/<name>/load"),
        ("/v2/repository/models/iris", "other"),
        ("/v1/models/iris", "/v1/models/<name>"),
        ("/v1/models/iris/labels/stable:predict", "/v1/models/<name>:predict"),
        ("/v1/models/iris/versions/3/metadata", "/v1/models/<name>/metadata"),
        ("/v1/models/iris:classify", "other"),
        ("/admin/inference/version/3/change/", "/admin/"),
        ("/static/admin/css/base.css", "/static/"),
        ("/", "/"),
        ("", "other"),
        ("/metrics", "/metrics"),
    ],
)
def test_addresses_are_told_without_what_differs(path: str, endpoint: str) -> None:
    assert endpoint_of(path) == endpoint
