"""Pages of the sites that the operator names may ask, and read the answer; those of all others may not."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Iterator
from typing import Any

import pytest
from environs import EnvError
from pytest_django.fixtures import Settings

from gateway_site import asgi
from gateway_site.cors_origins import cors_origins
from tests.unit.asking import Asked
from tests.unit.inference.http.predicting import ROW, answer_of
from tests.unit.pretended_gateway import PretendedGateway

PAGE = "https://app.example.com"
FOREIGN = "https://evil.example"


@pytest.fixture
def application(settings: Settings) -> Iterator[Any]:
    """As a process has it that was started with the setting."""
    settings.PIPELINE_CORS_ORIGINS = cors_origins([PAGE])
    yield importlib.reload(asgi).application
    settings.PIPELINE_CORS_ORIGINS = frozenset()
    importlib.reload(asgi)


def answered(application: Any, method: str, origin: str, **headers: str) -> Any:
    asked = Asked("/predict", ROW if method == "POST" else b"", method, headers={"Origin": origin, **headers})
    asyncio.run(application(asked.scope, asked.receive, asked.send))
    return asked.answered


def test_a_page_that_is_named_may_ask_first_and_then_ask(application: Any, gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = answer_of([[0.75]])
    wanted = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}

    first = answered(application, "OPTIONS", PAGE, **wanted)
    then = answered(application, "POST", PAGE, **{"Sec-Fetch-Site": "cross-site"})

    assert (first.status_code, first.headers["Access-Control-Allow-Origin"]) == (200, PAGE)
    assert "POST" in first.headers["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Credentials" not in first.headers
    assert first.headers["X-Request-Id"] != then.headers["X-Request-Id"]
    assert first.headers["X-Content-Type-Options"] == "nosniff"
    assert (then.status_code, then.json()["result"]) == (200, 0.75)
    assert then.headers["Access-Control-Allow-Origin"] == PAGE
    assert "X-Request-Id" in then.headers["Access-Control-Expose-Headers"]


def test_a_page_of_another_site_may_not(application: Any, gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = answer_of([[0.75]])

    first = answered(application, "OPTIONS", FOREIGN, **{"Access-Control-Request-Method": "POST"})
    then = answered(application, "POST", FOREIGN, **{"Sec-Fetch-Site": "cross-site"})

    assert first.status_code == 400
    assert "Access-Control-Allow-Origin" not in first.headers
    assert then.status_code == 403
    assert "Access-Control-Allow-Origin" not in then.headers


def test_without_the_setting_nobody_is_told_anything(gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = answer_of([[0.75]])

    assert answered(asgi.application, "POST", PAGE).status_code == 403


@pytest.mark.parametrize("told", ["app.example.com", "https://app.example.com/", "ftp://a", "https://a b", "null"])
def test_what_is_no_origin_is_told_when_the_gateway_starts(told: str) -> None:
    with pytest.raises(EnvError, match=r"an origin is like https://app\.example\.com, without a path"):
        cors_origins([told])


def test_origins_are_read_as_browsers_write_them() -> None:
    assert cors_origins([" HTTPS://App.Example.com ", "http://[::1]:3000", "", "*"]) == {PAGE, "http://[::1]:3000", "*"}
