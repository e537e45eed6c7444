"""Every error is one JSON shape, with the status that the table gives."""

from __future__ import annotations

import base64
import inspect
import json
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import DisallowedHost
from django.db import OperationalError
from django.http import Http404, HttpResponse, UnreadablePostError
from django.test import RequestFactory
from rest_framework.exceptions import (
    APIException,
    MethodNotAllowed,
    NotFound,
    ParseError,
    UnsupportedMediaType,
    ValidationError,
)  # fmt: skip

from inference import errors
from inference.http import responses
from inference.http.django_door import UnreadableError
from inference.http.responses import STATUS_OF, answer_exception, answer_to, flatten, refused
from tests.unit.asking import Asked


class View:
    """What the handler looks at of a view."""

    allowed_methods = ["POST", "OPTIONS"]


ASKED = Asked("/predict")
ASKS = ASKED.on_loop()


def answer(error: Exception) -> Any:
    """A view's answer, which is the event loop's, too."""
    response = answer_exception(error, {"view": View(), "request": None})
    assert response is not None
    on_loop = answer_to(error, ASKS)
    assert (on_loop.status, json.loads(on_loop.body)) == (response.status_code, response.data)
    told = dict(on_loop.headers)
    assert told == {name: value for name, value in response.items() if name not in ("Allow", "Content-Type")}
    return response


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.BadInputError("why"), 400),
        (errors.NoTokenError("why"), 401),
        (errors.ForeignPageError("why"), 403),
        (errors.NoRightError("why"), 403),
        (errors.TokensUnknownError("why"), 503),
        (errors.NotFoundError("why"), 404),
        (errors.ClientTimeoutError("why"), 408),
        (errors.ConflictError("why"), 409),
        (errors.AlreadyActiveError("why"), 412),
        (errors.TooLargeError("why"), 413),
        (errors.UnknownEncodingError("why"), 415),
        (errors.BusyError("why"), 503),
        (errors.NoWorkersError("why"), 503),
        (errors.BrokerUnavailableError("why"), 503),
        (errors.DatabaseAwayError("why"), 503),
        (errors.RequestTimeoutError("why"), 504),
        (errors.DiskFullError("why"), 507),
        (ParseError("why"), 400),
        (ValidationError("why"), 400),
        (NotFound("why"), 404),
        (APIException("why"), 500),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_an_error_has_its_status_and_tells_why(error: Exception, status: int) -> None:
    response = answer(error)

    assert response.status_code == status
    assert response.data == {"status": False, "message": "why"}
    assert ("Retry-After" in response.headers) == (status == 503)


def test_every_error_of_a_gateway_is_in_the_table_or_a_failed_prediction() -> None:
    own = {
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.InferenceError) and kind is not errors.InferenceError
    }

    told = {*STATUS_OF, errors.PredictionFailedError, errors.NoNetworkError}
    assert told <= own
    assert {kind for kind in own if not told & set(kind.__mro__)} == set()


def test_a_failed_prediction_is_200_with_the_trace_in_base64() -> None:
    trace = "Traceback (most recent call last):\nworkers.runtime.errors.RowsError: é\n"

    response = answer(errors.PredictionFailedError(trace))

    assert response.status_code == 200
    assert response.data == {
        "status": False,
        "message": base64.b64encode(trace.encode()).decode(),
        "result": 0.0,
        "error": "RowsError: é",
    }


def test_a_prediction_without_a_network_is_200_and_says_so() -> None:
    response = answer(errors.NoNetworkError("whatever"))

    assert (response.status_code, response.data) == (
        200,
        {"status": False, "message": "No weights loaded", "result": 0.0, "error": "No weights loaded"},
    )


def test_a_wrong_method_is_told_which_are_right() -> None:
    response = answer(MethodNotAllowed("GET"))

    assert (response.status_code, response.headers["Allow"]) == (405, "POST, OPTIONS")
    assert response.data == {"status": False, "message": 'Method "GET" not allowed.'}


def test_a_body_that_nothing_reads_is_415() -> None:
    assert answer(UnsupportedMediaType("text/plain")).status_code == 415


def test_a_database_that_fails_is_503_and_its_error_is_not_told_to_a_stranger() -> None:
    response = answer(OperationalError("password authentication failed for user secret"))

    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
    assert "secret" not in response.data["message"]


def test_an_object_that_is_not_there_is_404() -> None:
    assert answer(Http404("secret")).data == {"status": False, "message": "not found"}


def test_a_defect_of_a_view_is_left_to_django() -> None:
    assert answer_exception(RuntimeError("a defect"), {"view": View(), "request": None}) is None


def test_a_defect_on_the_loop_is_500_and_logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(responses.logger, "filters", [])
    error = RuntimeError("a defect")
    told = answer_to(error, ASKS)

    assert (told.status, told.headers) == (500, [])
    assert json.loads(told.body) == {"status": False, "message": "internal error; the log tells more"}
    [record] = caplog.records
    assert record.exc_info
    assert record.exc_info[1] is error


def test_whoever_is_to_wait_is_told_how_long() -> None:
    assert answer(errors.TooManyRequestsError("more than you may", 2.3)).headers["Retry-After"] == "3"
    assert answer(errors.QuarantinedError("why", 77)).headers["Retry-After"] == "77"
    assert "Bearer" in answer(errors.NoTokenError("why")).headers["WWW-Authenticate"]


def unreadable(cause: Exception | None, times: int = 1) -> UnreadablePostError:
    """As Django raises it, for what the server's side of a body has raised."""
    error: Exception | None = cause
    for kind in (UnreadableError, *[UnreadablePostError] * times):
        try:
            raise kind("unreadable") from error
        except OSError as raised:
            error = raised
    assert isinstance(error, UnreadablePostError)
    return error


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(
    ("cause", "status", "message"),
    [
        (
            errors.BadInputError("the body broke off: 3 bytes are missing"),
            400,
            "the body broke off: 3 bytes are missing",
        ),
        (errors.ClientTimeoutError("too slow"), 408, "too slow"),
        (errors.TooLargeError("too much"), 413, "too much"),
        (errors.UnknownEncodingError("unknown"), 415, "unknown"),
        (ConnectionResetError("reset"), 400, "the client has gone in the middle of the body"),
        (None, 400, "the client has gone in the middle of the body"),
    ],
)
def test_a_body_that_django_could_not_read_is_answered_for_what_it_was(
    cause: Exception | None, status: int, message: str, times: int
) -> None:
    response = answer(unreadable(cause, times))

    assert (response.status_code, response.data) == (status, {"status": False, "message": message})


@pytest.mark.parametrize(("status", "headers"), [(400, []), (408, []), (431, []), (503, [("Retry-After", "1")])])
def test_what_the_server_refuses_has_the_shape_of_all_errors(status: int, headers: list[tuple[str, str]]) -> None:
    told = refused(status, 'it is "späť"')

    assert (told.status, told.headers) == (status, headers)
    assert json.loads(told.body) == {"status": False, "message": 'it is "späť"'}


def test_a_host_that_is_not_ours_is_told_as_it_was_said_and_no_longer() -> None:
    for host, says in (("x.example:80", "'x.example'"), ("é", r"'\xe9' is not"), ("a" * 200, f"'{'a' * 80}'")):
        asks = SimpleNamespace(META={"HTTP_HOST": host})
        failure = responses.failure_of(DisallowedHost("secret"), asks)
        assert failure is not None
        assert (failure.status, failure.content["status"]) == (400, False)
        assert says in failure.content["message"]
        assert "secret" not in failure.content["message"]


@pytest.mark.parametrize(
    ("detail", "line"),
    [
        ("why", "why"),
        (["one", "two"], "one; two"),
        ({"nn_id": ["one", "two"], "data": "three"}, "nn_id: one; two; data: three"),
        ({"a": {"b": ["c"]}}, "a: b: c"),
        ([], ""),
    ],
)
def test_details_become_one_line(detail: Any, line: str) -> None:
    assert flatten(detail) == line


def page(name: str, path: str) -> HttpResponse:
    handler, request = getattr(responses, name), RequestFactory().get(path)
    result = handler(request) if name == "server_error" else handler(request, Http404("secret"))
    assert isinstance(result, HttpResponse)
    return result


HANDLERS = [("bad_request", 400), ("permission_denied", 403), ("not_found", 404), ("server_error", 500)]


@pytest.mark.parametrize(("name", "status"), HANDLERS)
def test_what_django_refuses_is_json_too(name: str, status: int) -> None:
    response = page(name, "/nowhere")

    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/json")
    body = json.loads(response.content)
    assert body["status"] is False
    assert body["message"]
    assert "secret" not in body["message"]


@pytest.mark.parametrize(("name", "status"), HANDLERS)
def test_in_the_admin_a_person_gets_a_page(name: str, status: int) -> None:
    response = page(name, "/admin/nowhere/")

    assert (response.status_code, response.headers["Content-Type"].split(";")[0]) == (status, "text/html")
