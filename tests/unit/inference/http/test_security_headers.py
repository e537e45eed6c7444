"""Every kind of answer tells a browser what it may not do with it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from inference.http.security_headers import EVERYWHERE, POLICY, security_headers
from tests.unit import asking
from tests.unit.asking import ask
from tests.unit.inference.http.predicting import ROW, answer_of
from tests.unit.pretended_gateway import PretendedGateway

NOTHING = "default-src 'none'; frame-ancestors 'none'"


def told(headers: Any) -> dict[str, Any]:
    return {name: headers.get(name) for name in (*EVERYWHERE, POLICY)}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/predict", "/networks", "/nowhere", "/healthz", "/metrics", "/static/inference/admin.css"]
)
def test_what_is_no_page_is_not_shown_as_one(path: str, client: Client, gateway: PretendedGateway) -> None:
    response = client.get(path)
    response.close()  # type: ignore[no-untyped-call]

    assert told(response.headers) == {**EVERYWHERE, POLICY: NOTHING}


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/admin/", "/admin/login/", "/admin/nowhere/", "/admin/workers/"])
def test_a_page_has_its_scripts_from_the_gateway_only(path: str, viewer: Client) -> None:
    response = viewer.get(path)

    assert response["Content-Type"].startswith("text/html") or response.status_code == 302
    assert told(response.headers).items() >= EVERYWHERE.items()
    if response.status_code != 302:
        assert "script-src 'self' 'unsafe-eval';" in response[POLICY]
        assert "frame-ancestors 'none'" in response[POLICY]
        assert b"<script>" not in response.content


def test_a_prediction_has_them(gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = answer_of([[0.75]])

    assert told(ask("/predict", ROW).headers) == {**EVERYWHERE, POLICY: NOTHING}
    assert told(ask("/predict", b"{").headers) == {**EVERYWHERE, POLICY: NOTHING}


@pytest.mark.parametrize("path", ["/predict", "/healthz"])
@pytest.mark.parametrize(
    ("way", "secure"),
    [
        ({}, False),
        ({"headers": {"X-Forwarded-Proto": "http"}}, False),
        ({"headers": {"X-Forwarded-Proto": "http, https"}}, False),
        ({"headers": {"X-Forwarded-Proto": "https"}}, True),
        ({"headers": {"X-Forwarded-Proto": "https, http"}}, True),
        ({"scheme": "https"}, True),
    ],
)
def test_who_asks_by_https_is_told_that_it_is_to_stay_and_nobody_else(
    way: dict[str, Any],
    secure: bool,
    path: str,
    gateway: PretendedGateway,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gateway.dispatcher.outcome = answer_of([[0.75]])
    settings.SECURE_HSTS_SECONDS = 77
    monkeypatch.setattr(asking, "django", WSGIHandler())  # whose middleware reads that when it is made
    body, method = (ROW, "POST") if path == "/predict" else (b"", "GET")

    answered = ask(path, body, method, **way)

    assert answered.status_code == 200
    assert answered.headers.get("Strict-Transport-Security") == ("max-age=77" if secure else None)


def test_without_https_nobody_is_told(gateway: PretendedGateway) -> None:
    answered = ask("/predict", ROW, headers={"X-Forwarded-Proto": "https"})

    assert "Strict-Transport-Security" not in answered.headers


def test_the_servers_own_refusals_have_them() -> None:
    refused = ask("", method="", refusal=(400, "no request"))

    assert told(refused.headers) == {**EVERYWHERE, POLICY: NOTHING}


def test_a_page_with_a_policy_of_its_own_keeps_it() -> None:
    own = HttpResponse("page", headers={POLICY: "default-src 'self'"})

    assert security_headers(lambda _: own)(RequestFactory().get("/"))[POLICY] == "default-src 'self'"
