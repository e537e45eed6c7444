"""What every request has: an id, and a note for /metrics."""

from __future__ import annotations

from typing import Any

import pytest

from gateway_site.observed import Observed, endpoint_of
from inference.monitoring import observations
from tests.unit.samples import NN_ID
from workers.messages.request_id import REQUEST_ID


def ask(path: str = "/predict", method: str = "POST", status: str = "200 OK", **environ: str) -> tuple[str, str]:
    """The id that the application sees, and the one that is answered."""
    seen: list[str] = []
    answered: dict[str, str] = {}

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(REQUEST_ID.get())
        start_response(status, [("Content-Type", "text/plain")])
        return [b"body"]

    observed = Observed(application)
    environment = {"PATH_INFO": path, "REQUEST_METHOD": method, **environ}
    assert observed(environment, lambda _, headers: answered.update(headers)) == [b"body"]
    assert answered["Content-Type"] == "text/plain"
    return seen[0], answered["X-Request-ID"]


@pytest.fixture(autouse=True)
def nothing_observed() -> None:
    observations.requests.clear()
    observations.predict_requests.clear()
    REQUEST_ID.set("")


def test_a_request_has_an_id_that_is_answered() -> None:
    seen, answered = ask()

    assert seen == answered != ""


def test_every_request_has_another_id() -> None:
    assert len({ask()[0] for _ in range(100)}) == 100


@pytest.mark.parametrize("given", ["a", "0d3c5dff-a437-4c77", "Root=1-67891233-abcdef", "x" * 128])
def test_a_clients_own_id_is_taken(given: str) -> None:
    assert ask(HTTP_X_REQUEST_ID=given) == (given, given)


@pytest.mark.parametrize("given", ["", " ", "two words", "x" * 129, "a\nb", "a\r\nSet-Cookie: x", "\x7f", "é", "a\0"])
def test_one_that_is_not_sane_is_not(given: str) -> None:
    seen, answered = ask(HTTP_X_REQUEST_ID=given)

    assert seen == answered != given
    assert seen.isprintable()


def test_a_prediction_is_noted() -> None:
    ask(status="503 Service Unavailable")

    [(status, seconds)] = observations.predict_requests
    assert status == "503 Service Unavailable"
    assert 0 <= seconds < 5


@pytest.mark.parametrize(
    ("path", "method", "status", "noted"),
    [
        ("/status", "GET", "200 OK", ("/status", "GET", "200")),
        ("/predict", "GET", "405 Method Not Allowed", ("/predict", "GET", "405")),
        (f"/networks/{NN_ID}/rollback", "POST", "409 Conflict", ("/networks/<nn_id>/rollback", "POST", "409")),
        ("/nowhere", "BREW", "404 Not Found", ("other", "other", "404")),
    ],
)
def test_what_is_no_prediction_is_noted_by_its_address(
    path: str, method: str, status: str, noted: tuple[str, str, str]
) -> None:
    ask(path, method, status)

    [request] = observations.requests
    assert request[:3] == noted


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/set_weights", "/set_weights"),
        ("/networks", "/networks"),
        (f"/networks/{NN_ID}", "/networks/<nn_id>"),
        (f"/networks/{NN_ID}/versions/12", "/networks/<nn_id>/versions/<n>"),
        (f"/networks/{NN_ID}/versions/12/weights", "/networks/<nn_id>/versions/<n>/weights"),
        ("/networks/no-network", "other"),
        ("/admin/inference/version/3/change/", "/admin/"),
        ("/static/admin/css/base.css", "/static/"),
        ("/", "/"),
        ("", "other"),
        ("/metrics", "/metrics"),
    ],
)
def test_addresses_are_told_without_what_differs(path: str, endpoint: str) -> None:
    assert endpoint_of(path) == endpoint
