"""Every kind of answer tells a browser what it may not do with it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from inference.http.lean_handler import LeanHandler
from inference.http.security_headers import EVERYWHERE, POLICY, security_headers
from inference.http.views import Predict
from tests.unit.gateway_site.test_refusal import ASKED, refuse
from tests.unit.inference.dispatch.test_predictions import answer_of
from tests.unit.inference.http.test_lean_handler import ask
from tests.unit.samples import PretendedGateway

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


def test_a_prediction_has_them_and_of_https_that_it_is_to_stay(gateway: PretendedGateway, settings: Settings) -> None:
    gateway.dispatcher.outcome = answer_of(0.75)
    settings.SECURE_HSTS_SECONDS = 77
    handler = LeanHandler(get_wsgi_application(), "/predict", Predict.as_view())
    body = b'{"vector": [0.5, 0.25]}'
    _, plain, _ = ask(handler, body=body)
    _, secure, _ = ask(handler, body=body, **{"wsgi.url_scheme": "https"})

    assert told(plain) == told(secure) == {**EVERYWHERE, POLICY: NOTHING}
    assert secure["Strict-Transport-Security"] == "max-age=77"
    assert "Strict-Transport-Security" not in plain


def test_the_servers_own_refusals_have_them() -> None:
    head, _ = refuse(ASKED, 400, "")

    assert {f"{name}: {value}" for name, value in {**EVERYWHERE, POLICY: NOTHING}.items()} <= set(head)


def test_a_page_with_a_policy_of_its_own_keeps_it() -> None:
    own = HttpResponse("page", headers={POLICY: "default-src 'self'"})

    assert security_headers(lambda _: own)(RequestFactory().get("/"))[POLICY] == "default-src 'self'"
