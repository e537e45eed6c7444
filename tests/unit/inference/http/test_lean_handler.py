"""The way of predictions past Django's middleware."""

from __future__ import annotations

import gc
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from pytest_django.fixtures import Settings

from inference.gateway import gateway as this_gateway
from inference.http.lean_handler import LeanHandler
from inference.http.views import Predict
from tests.unit.inference.dispatch.test_predictions import answer_of
from tests.unit.samples import PretendedGateway

Asked = Callable[..., tuple[str, dict[str, str], Any]]


def full() -> bool:
    return this_gateway().predictions.refuse_when_full()


def ask(handler: LeanHandler, path: str = "/predict", method: str = "POST", body: bytes = b"", **headers: str) -> Any:
    environ = {
        "REQUEST_METHOD": method, "PATH_INFO": path, "SCRIPT_NAME": "", "SERVER_NAME": "x", "SERVER_PORT": "80",
        "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body), "wsgi.url_scheme": "http",
        "HTTP_HOST": "here.example.com", "CONTENT_TYPE": "application/json", **headers,
    }  # fmt: skip
    told: list[Any] = []
    content = b"".join(handler(environ, lambda status, headers: told.extend([status, dict(headers)])))
    assert int(told[1]["Content-Length"]) == len(content)
    return told[0], told[1], json.loads(content)


@pytest.fixture
def handler() -> LeanHandler:
    return LeanHandler(get_wsgi_application(), "/predict", Predict.as_view(), full)


def test_a_prediction_is_answered_as_everywhere(handler: LeanHandler, gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = answer_of(0.75)
    status, headers, answer = ask(handler, body=b'{"vector": [0.5, 0.25]}')

    assert status == "200 OK"
    assert (headers["Content-Type"], headers["X-Content-Type-Options"]) == ("application/json", "nosniff")
    assert (answer["status"], answer["result"]) == (True, 0.75)


def test_what_there_is_no_room_for_is_refused_before_it_is_read(
    handler: LeanHandler, gateway: PretendedGateway
) -> None:
    gateway.dispatcher.admission.full = True
    status, headers, answer = ask(handler, body=b'{"vector": [0.5, 0.25]}')
    assert ask(handler, method="GET")[0] == "405 Method Not Allowed"

    assert (status, headers["Retry-After"]) == ("503 Service Unavailable", "1")
    assert answer == {"status": False, "message": "Server is busy"}
    assert gateway.dispatcher.submitted == []
    [timing] = gateway.timings.noted
    assert (timing.outcome, timing.rows, timing.nn_id) == ("refused", 0, "")


@pytest.mark.parametrize("in_chunks", [False, True])
def test_a_client_that_is_still_sending_what_there_is_no_room_for_sees_the_answer(
    in_chunks: bool, handler: LeanHandler, gateway: PretendedGateway
) -> None:
    gateway.dispatcher.admission.full = True
    body = io.BytesIO(bytes(1_000_000))
    told = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"} if in_chunks else {"CONTENT_LENGTH": "1000000"}
    status, _, _ = ask(handler, **{"wsgi.input": body}, **told)  # type: ignore[arg-type]

    assert status == "503 Service Unavailable"
    assert body.read() == b""


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"body": b"{"}, "400 Bad Request"),
        ({"method": "GET"}, "405 Method Not Allowed"),
        ({"body": b'{"vector": [1]}', "HTTP_SEC_FETCH_SITE": "cross-site"}, "403 Forbidden"),
    ],
)
def test_what_is_refused_is_refused_in_json(
    options: dict[str, Any], status: str, handler: LeanHandler, gateway: PretendedGateway
) -> None:
    answered, _, answer = ask(handler, **options)

    assert answered == status
    assert answer["status"] is False
    assert answer["message"]


def test_a_host_that_is_not_ours_is_refused(settings: Settings, gateway: PretendedGateway) -> None:
    settings.ALLOWED_HOSTS = ["there.example.com"]
    handler = LeanHandler(get_wsgi_application(), "/predict", Predict.as_view(), full)

    status, _, answer = ask(handler, body=b'{"vector": [1]}')

    assert status == "400 Bad Request"
    assert "add it to PIPELINE_ALLOWED_HOSTS" in answer["message"]


def test_a_defect_is_answered_500_in_json(gateway: PretendedGateway) -> None:
    def broken(_: Any) -> HttpResponse:
        raise RuntimeError("a defect")

    handler = LeanHandler(get_wsgi_application(), "/predict", broken, full)
    status, _, answer = ask(handler)

    assert (status, answer["status"]) == ("500 Internal Server Error", False)
    assert "defect" not in answer["message"]


@pytest.mark.django_db
def test_every_other_address_is_djangos(handler: LeanHandler, gateway: PretendedGateway) -> None:
    status, headers, answer = ask(handler, path="/nowhere", method="GET")

    assert (status, answer) == ("404 Not Found", {"status": False, "message": "not found"})
    assert headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("body", [b'{"vector": [0.5, 0.25]}', b"{"])
def test_a_request_leaves_nothing_to_the_garbage_collector(
    body: bytes, handler: LeanHandler, gateway: PretendedGateway
) -> None:
    gateway.dispatcher.outcome = answer_of(0.75)
    ask(handler, body=body)
    gc.collect()
    gc.disable()
    try:
        for _ in range(10):
            ask(handler, body=body)
        left = gc.collect()
    finally:
        gc.enable()

    assert left == 0
