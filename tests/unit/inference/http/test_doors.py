"""Which door answers a request, and what is answered whatever happens behind it: once, in one shape."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from inference.errors import BusyError
from inference.http import responses
from inference.http.bodies.request_body import Message
from inference.http.django_door import DjangoDoor
from inference.http.doors import Doors
from inference.http.responses import DEFECT
from inference.monitoring import observations
from tests.unit.asking import DEADLINE, Asked, answer_all, ask
from tests.unit.inference.http.predicting import ROW, answer_of
from tests.unit.pretended_gateway import PretendedGateway


@pytest.fixture(autouse=True)
def nothing_observed(monkeypatch: pytest.MonkeyPatch) -> None:
    observations.requests.clear()
    observations.predict_requests.clear()
    monkeypatch.setattr(responses.logger, "filters", [])  # however many defects there are in a second


def noted() -> list[tuple[str, str, str]]:
    """Address, method and status of each answer."""
    predicted = [(endpoint, "POST", status) for endpoint, status, _ in observations.predict_requests]
    return predicted + [(path, method, status) for path, method, status, _ in observations.requests]


def defects(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged, with a stack trace, as a defect of ours."""
    return [f"{record.exc_info[1]}" for record in caplog.records if record.levelno >= logging.ERROR and record.exc_info]


# Which.


def test_a_prediction_is_answered_on_the_loop_and_all_else_by_django_beside_it(
    gateway: PretendedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_in: list[str] = []

    class Django:
        async def __call__(self, scope: Any, asks: Any, send: Any) -> None:
            asked_in.append(f"{scope['method']} {scope['path']}")
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})

    gateway.dispatcher.outcome = answer_of([[0.75]])
    others = [("GET", "/predict"), ("HEAD", "/predict"), ("POST", "/predict/"), ("POST", "/"), ("POST", "//predict")]
    for method, path in [("POST", "/predict"), *others]:
        asked = Asked(path, ROW, method)
        asyncio.run(Doors(Django())(asked.scope, asked.receive, asked.send))
        assert asked.answered.status_code == (200 if (method, path) == ("POST", "/predict") else 204)

    assert asked_in == [f"{method} {path}" for method, path in others]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
def test_another_method_there_is_405(method: str, gateway: PretendedGateway) -> None:
    answered = ask("/predict", method=method)

    assert answered.status_code == 405
    assert answered.headers["Allow"] == "POST, OPTIONS"
    assert noted() == [("/predict", method, "405")]


# What goes wrong.


def test_a_defect_of_a_prediction_is_500_and_logged_and_tells_a_stranger_nothing(
    gateway: PretendedGateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(gateway.dispatcher, "predict", lambda *_: 1 / 0)

    answered = ask("/predict", ROW)

    assert (answered.status_code, answered.headers["Content-Type"]) == (500, "application/json")
    assert answered.json() == {"status": False, "message": "internal error; the log tells more"}
    assert defects(caplog) == ["division by zero"]
    assert noted() == [("/predict", "POST", "500")]


@pytest.mark.parametrize("path", ["/predict", "/status"])
def test_who_is_not_answered_since_the_process_ends_is_told_so(path: str, gateway: PretendedGateway) -> None:
    async def cancel() -> None:
        asked = Asked(path, pieces=[])
        asked.receive = asyncio.Event().wait  # type: ignore[assignment]  # nothing comes
        task = asyncio.ensure_future(doors(str)(asked.scope, asked.receive, asked.send))
        await asyncio.sleep(0)
        task.cancel()
        await task
        assert (asked.answered.status_code, asked.answered.headers["Retry-After"]) == (503, "1")
        assert asked.answered.json() == {"status": False, "message": "this gateway process ends: ask again"}

    asyncio.run(cancel())
    assert noted() == [(path, "POST", "503")]


def test_a_defect_of_a_view_is_500_and_logged_and_tells_a_stranger_nothing(
    gateway: PretendedGateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("inference.http.status.read_status", lambda: 1 / 0)

    answered = ask("/status", method="GET")

    assert (answered.status_code, answered.headers["Content-Type"]) == (500, "application/json")
    assert answered.json() == {"status": False, "message": "internal error; the log tells more"}
    assert defects(caplog) == ["division by zero"]
    assert noted() == [("/status", "GET", "500")]


def doors(django: Callable[..., Any]) -> Doors:
    """The application with another one in Django's place."""
    return Doors(DjangoDoor(django, 2))  # type: ignore[arg-type]


def test_a_defect_before_django_answers_is_500_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    def broken(environ: Any, start_response: Any) -> Any:
        raise RuntimeError("a defect")

    asked = Asked("/status", method="GET")
    asyncio.run(doors(broken)(asked.scope, asked.receive, asked.send))

    assert asked.answered.status_code == 500
    assert asked.answered.json() == {"status": False, "message": DEFECT}
    assert defects(caplog) == ["a defect"]
    assert noted() == [("/status", "GET", "500")]


@pytest.mark.parametrize("error", [RuntimeError("a defect"), BusyError("the weights are deleted")], ids=repr)
def test_an_answer_that_breaks_off_is_not_taken_for_a_whole_one(error: Exception) -> None:
    """The server ends a connection for what the application raises."""
    began = threading.Event()

    class Client(Asked):
        async def send(self, message: Message) -> None:
            await super().send(message)
            if message.get("body"):
                began.set()

    def breaks_off(environ: Any, start_response: Callable[..., Any]) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "application/octet-stream")])
        yield b"half of it"
        assert began.wait(DEADLINE)
        raise error

    asked = Client("/status", method="GET")
    with pytest.raises(type(error), match=str(error)):
        asyncio.run(doors(breaks_off)(asked.scope, asked.receive, asked.send))

    assert [message["type"] for message in asked.sent] == ["http.response.start", "http.response.body"]
    assert asked.sent[1] == {"type": "http.response.body", "body": b"half of it", "more_body": True}
    assert noted() == [("/status", "GET", "200")]


def test_whenever_it_breaks_off_there_is_one_answer_at_most() -> None:
    def breaks_off(environ: Any, start_response: Callable[..., Any]) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"half of it"
        raise RuntimeError("a defect")

    for _ in range(50):
        observations.requests.clear()
        asked = Asked("/status", method="GET")
        try:
            asyncio.run(doors(breaks_off)(asked.scope, asked.receive, asked.send))
        except RuntimeError:
            assert noted() == [("/status", "GET", "200")]
            assert not any(message.get("more_body") is False for message in asked.sent)
        else:
            assert noted() == [("/status", "GET", "500")]
            assert asked.answered.json()["message"] == DEFECT


# What the server refuses.


@pytest.mark.parametrize(("status", "message"), [(400, 'it is "späť"'), (408, "too slow"), (503, "Server is busy")])
@pytest.mark.parametrize(("method", "path"), [("", ""), ("POST", "/predict"), ("GET", "/healthz")])
def test_what_the_server_refuses_is_answered_as_it_says_and_nobody_is_asked(
    status: int, message: str, method: str, path: str, gateway: PretendedGateway
) -> None:
    asked = Asked(path, pieces=[ROW, ROW], method=method, refusal=(status, message))

    async def nobody(*_: Any) -> None:
        raise AssertionError("Django is asked")

    asyncio.run(Doors(nobody)(asked.scope, asked.receive, asked.send))

    answered = asked.answered
    assert (answered.status_code, answered.headers["Content-Type"]) == (status, "application/json")
    assert answered.json() == {"status": False, "message": message}
    assert answered.headers.get("Retry-After") == ("1" if status == 503 else None)
    assert len(asked.pieces) == 2
    assert gateway.dispatcher.submitted == []
    assert gateway.timings.noted == []
    assert noted() == [(path or "other", method or "other", str(status))]


# All of them.

ANSWERS: list[tuple[int, dict[str, Any]]] = [
    (200, {"path": "/predict", "body": ROW}),
    (400, {"path": "/predict", "body": b"{"}),
    (415, {"path": "/predict", "body": ROW, "headers": {"Content-Encoding": "br"}}),
    (403, {"path": "/predict", "body": ROW, "headers": {"Sec-Fetch-Site": "cross-site"}}),
    (405, {"path": "/predict", "method": "GET"}),
    (405, {"path": "/predict", "method": "HEAD"}),
    (404, {"path": "/nowhere", "method": "GET"}),
    (200, {"path": "/healthz", "method": "GET"}),
    (200, {"path": "/healthz", "method": "HEAD"}),
    (200, {"path": "/api/docs", "method": "GET"}),
    (200, {"path": "/static/inference/admin.css", "method": "GET"}),
    (400, {"path": "/status", "pieces": [b"{}"], "headers": {"Content-Length": "3"}}),
    (400, {"path": "", "method": "", "refusal": (400, "no request")}),
]


@pytest.mark.parametrize(("status", "about"), ANSWERS, ids=str)
def test_every_answer_has_an_id_and_says_what_it_is_not_and_is_noted_once(
    status: int, about: dict[str, Any], gateway: PretendedGateway
) -> None:
    gateway.dispatcher.outcome = answer_of([[0.75]])
    own = ask(**about)
    theirs = ask(**about, more_headers=[(b"x-request-id", b"theirs")])

    assert own.status_code == theirs.status_code == status
    assert theirs.headers["X-Request-ID"] == "theirs"
    assert own.headers["X-Request-ID"] not in ("", "theirs")
    assert own.headers["X-Content-Type-Options"] == "nosniff"
    assert own.headers["X-Frame-Options"] == "DENY"
    assert own.headers["Referrer-Policy"] == "same-origin"
    assert "frame-ancestors 'none'" in own.headers["Content-Security-Policy"]
    assert [status for _, _, status in noted()] == [str(own.status_code)] * 2


def test_any_asgi_server_may_run_it(gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = answer_of([[0.75]])
    asked = Asked("/predict", ROW)
    for optional in ("state", "server", "client"):
        del asked.scope[optional]
    answer_all(asked)

    assert asked.answered.json()["result"] == 0.75
    assert asyncio.iscoroutinefunction(Doors.__call__)  # else uvicorn takes it for one of ASGI's second version
