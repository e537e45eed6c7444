"""Errors at the addresses of the field's protocols: `{"error": …}`, with the status of whose fault it is."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from django.db import OperationalError
from pytest_django.fixtures import Settings

from inference.access import requirement
from inference.access.buckets import Rate
from inference.access.known_tokens import KnownTokens
from inference.errors import (
    BrokerUnavailableError,
    BusyError,
    ClientTimeoutError,
    ConflictError,
    DatabaseAwayError,
    InferenceError,
    NoNetworkError,
    NotFoundError,
    PredictionFailedError,
    QuarantinedError,
    RequestTimeoutError,
)
from inference.http import responses, throttle
from inference.http.doors import Doors
from inference.http.error_shape import says_error
from inference.http.responses import DEFECT
from tests.unit.asking import Answered, Asked, ask
from tests.unit.inference.http.predicting import answer_of
from tests.unit.pretended_gateway import PretendedGateway

INFER, ROWS = "/v2/models/iris/infer", "/v1/models/iris:predict"
BODIES = {
    INFER: b'{"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [0.5, 0.25]}]}',
    ROWS: b'{"instances": [[0.5, 0.25]]}',
}
TRACE = "Traceback (most recent call last):\n  File secret.py\nRowsError: two numbers"
both = pytest.mark.parametrize("path", BODIES)


@pytest.fixture(autouse=True)
def answered(gateway: PretendedGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway.dispatcher.outcome = answer_of([[0.75]])
    monkeypatch.setattr(responses.logger, "filters", [])  # however many defects there are in a second


def error(response: Answered, status: int) -> str:
    """What is said, and that nothing else is."""
    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/json")
    told = response.json()
    assert told.keys() == {"error"}
    assert isinstance(told["error"], str)
    assert told["error"]
    return str(told["error"])


def predict(path: str, **about: Any) -> Answered:
    return ask(path, about.pop("body", BODIES[path]), **about)


@both
@pytest.mark.parametrize(
    ("raised", "status", "retry"),
    [
        (NotFoundError("no network iris"), 404, None),
        (NoNetworkError("No weights loaded"), 404, None),
        (ConflictError("version 3 is failed"), 409, None),
        (BusyError("Server is busy"), 503, "1"),
        (BrokerUnavailableError("no broker"), 503, "1"),
        (DatabaseAwayError("no database"), 503, "1"),
        (QuarantinedError("it kills workers", 7), 503, "7"),
        (RequestTimeoutError("no worker answered"), 504, None),
        (PredictionFailedError(TRACE, is_rows_fault=True), 400, None),
        (PredictionFailedError(TRACE), 500, None),
    ],
    ids=repr,
)
def test_what_a_prediction_fails_by_is_told(
    path: str, raised: InferenceError, status: int, retry: str | None, gateway: PretendedGateway
) -> None:
    gateway.dispatcher.outcome = raised

    response = predict(path)

    expected = "RowsError: two numbers" if isinstance(raised, PredictionFailedError) else str(raised)
    assert error(response, status) == expected
    assert response.headers.get("Retry-After") == retry


@both
def test_no_answer_in_time_is_504(path: str, gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = None

    assert error(predict(path), 504).startswith("no worker answered within 30 s")


@both
def test_a_full_gateway_is_503_and_reads_nothing(path: str, gateway: PretendedGateway) -> None:
    gateway.dispatcher.admission.full = True
    asked = Asked(path, pieces=[b"x"], headers={"Content-Length": "1000000"})

    async def answer() -> None:
        await Doors(None)(asked.scope, asked.receive, asked.send)  # type: ignore[arg-type]

    asyncio.run(answer())
    assert error(asked.answered, 503) == "Server is busy"
    assert asked.pieces == [b"x"]


@both
def test_who_may_not_ask_is_401_403_or_429(path: str, gateway: PretendedGateway, settings: Settings) -> None:
    settings.PIPELINE_THROTTLES, settings.PIPELINE_THROTTLE_FAILURES = {"predict": Rate(1, 60.0)}, None
    throttle._buckets.cache_clear()
    try:
        assert [predict(path).status_code for _ in range(2)] == [200, 429]
        assert "more requests for 'predict'" in error(predict(path), 429)
    finally:
        throttle._buckets.cache_clear()
    assert "another site" in error(predict(path, headers={"Sec-Fetch-Site": "cross-site"}), 403)

    requirement.listen_at([("192.0.2.1", 80)])
    gateway.tokens = KnownTokens(list)
    gateway.tokens.refresh()
    response = predict(path)
    assert "needs a token with the right 'predict'" in error(response, 401)
    assert "WWW-Authenticate" in response.headers


@both
def test_a_host_that_is_none_of_ours_is_400(path: str, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["gateway.example"]

    assert "PIPELINE_ALLOWED_HOSTS" in error(predict(path), 400)
    assert "PIPELINE_ALLOWED_HOSTS" in error(ask("/v2/models/iris", method="GET"), 400)


@both
@pytest.mark.parametrize(
    ("about", "status"),
    [
        ({"headers": {"Content-Length": "100000000"}, "pieces": [b"{"]}, 413),
        ({"headers": {"Content-Encoding": "br"}}, 415),
        ({"headers": {"Content-Encoding": "gzip"}}, 400),
        ({"pieces": [b"{"], "headers": {"Content-Length": "99"}}, 400),
        ({"pieces": [b"{"], "fault": ClientTimeoutError("too slow")}, 408),
        ({"pieces": [b"{"], "gone": True}, 400),
        ({"refusal": (400, "two lengths")}, 400),
        ({"refusal": (408, "too slow")}, 408),
        ({"refusal": (503, "Server is busy")}, 503),
    ],
    ids=str,
)
def test_a_body_that_cannot_be_taken_is_told(path: str, about: dict[str, Any], status: int) -> None:
    error(predict(path, **about), status)


@pytest.mark.parametrize(
    "path", ["/v2/repository/index", "/v2/repository/models/iris/load", "/v2/nowhere", "/v1/models"]
)
@pytest.mark.parametrize(
    ("about", "status"),
    [
        ({"headers": {"Content-Encoding": "br"}, "body": b"{}"}, 415),
        ({"pieces": [b"{"], "headers": {"Content-Length": "99"}}, 400),
        ({"pieces": [b"{"], "fault": ClientTimeoutError("too slow")}, 408),
        ({"refusal": (431, "a header is too large")}, 431),
    ],
    ids=str,
)
def test_nor_one_of_djangos(path: str, about: dict[str, Any], status: int) -> None:
    error(ask(path, **about), status)


@both
def test_a_defect_is_500_and_logged_once_and_tells_a_stranger_nothing(
    path: str, gateway: PretendedGateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(gateway.dispatcher, "predict", lambda *_: 1 / 0)

    assert error(predict(path), 500) == DEFECT
    assert [record.levelno for record in caplog.records if record.exc_info] == [logging.ERROR]


@pytest.mark.parametrize(
    ("raised", "status", "message"),
    [
        (ZeroDivisionError("secret"), 500, DEFECT),
        (OperationalError("secret"), 503, "the database cannot be reached; try again"),
    ],
    ids=repr,
)
def test_so_is_one_of_a_view(
    raised: Exception, status: int, message: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise raised

    monkeypatch.setattr("inference.versions.history.networks", fail)

    assert error(ask("/v1/models", method="GET"), status) == message
    assert len([record for record in caplog.records if record.exc_info and record.name.startswith("inference")]) == (
        1 if status == 503 else 0  # Django logs the other
    )


@pytest.mark.parametrize(
    "path",
    ["/v2/", "/v1", "/v1/", "/v2/nowhere", "/v2/models", "/v2/models/iris/", "/v2/models/a b/infer",
     "/v2/models/é/ready",
     "/v2/models/iris/versions/0/infer", "/v2/models/iris/versions/1234567890/infer", "/v1/models/iris:classify",
     "/v1/models/iris/labels/:predict", "/v1/models/iris/versions/1/labels/a:predict", "/v2/health", "/v1/models/",
     f"/v2/models/{'x' * 129}/infer", "/v2/models/iris/infer/", "/v2/\n", "/v2/systemsharedmemory/status"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
def test_an_address_that_there_is_not_is_404_whatever_the_method(path: str, method: str) -> None:
    error(ask(path, b"{}", method), 404)
    assert ask(path, method="HEAD").status_code == 404


@both
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
def test_another_method_is_405(path: str, method: str) -> None:
    response = ask(path, method=method)

    assert (response.status_code, response.headers["Allow"]) == (405, "POST, OPTIONS")
    if method != "HEAD":
        error(response, 405)


@both
@pytest.mark.parametrize("content_type", ["", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data"])
def test_json_is_read_whatever_it_is_called(path: str, content_type: str) -> None:
    assert predict(path, headers={"Content-Type": content_type}).status_code == 200


@both
def test_the_process_that_ends_says_so(path: str) -> None:
    asked = Asked(path, pieces=[])

    async def cancel() -> None:
        asked.receive = asyncio.Event().wait  # type: ignore[assignment]  # nothing comes
        task = asyncio.ensure_future(Doors(None)(asked.scope, asked.receive, asked.send))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        task.cancel()
        await task

    asyncio.run(cancel())
    assert error(asked.answered, 503) == responses.ENDING


@pytest.mark.parametrize(
    ("path", "says"),
    [("/v1", True), ("/v2", True), ("/v2/", True), ("/v1/x\ny", True), ("/v3/models", False), ("/v2x", False),
     ("/predict", False), ("", False), ("/networks/v2", False)],
)  # fmt: skip
def test_the_shape_is_the_addresss(path: str, says: bool) -> None:
    assert says_error(path) is says
    if path:
        answered = ask(path, method="GET", refusal=(400, "no"))
        assert answered.json() == ({"error": "no"} if says else {"status": False, "message": "no"})
