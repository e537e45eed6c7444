"""By which names a gateway is asked, and what it says when it is asked by another."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from gateway_site.allowed_hosts import LOOPBACK_NAMES, allowed_hosts
from tests.unit.pretended_gateway import PretendedGateway

NAME = "pipeline.example.com"


@pytest.fixture(autouse=True)
def _named(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = allowed_hosts([NAME], "0.0.0.0:54321")


@pytest.mark.parametrize(
    ("binds", "more"),
    [
        ("127.0.0.1:80", []),
        ("0.0.0.0:80", []),
        ("[::]:80", []),
        (":80", []),
        ("*:80", []),
        ("unix:/run/pipeline.sock", []),
        ("192.0.2.1:80", ["192.0.2.1"]),
        ("[2001:db8::1]:80,192.0.2.1:81", ["[2001:db8::1]", "192.0.2.1"]),
    ],
)
def test_this_machines_own_names_are_always_allowed(binds: str, more: list[str]) -> None:
    assert allowed_hosts([NAME], binds) == [NAME, *LOOPBACK_NAMES, *more]


@pytest.mark.django_db
@pytest.mark.parametrize("host", [NAME, "127.0.0.1:54321", "localhost:54321", "[::1]:54321"])
def test_the_commands_of_a_gateway_with_a_name_are_answered(
    host: str, client: Client, gateway: PretendedGateway
) -> None:
    assert client.get("/status", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/status", "/predict", "/admin/login/"])
def test_another_name_is_told_what_to_do(path: str, client: Client) -> None:
    response = client.get(path, headers={"host": "Evil.example.com:80"})

    assert response.status_code == 400
    assert response.json() == {
        "status": False,
        "message": "this gateway is not asked by the name 'evil.example.com': add it to PIPELINE_ALLOWED_HOSTS",
    }


@pytest.mark.parametrize("host", ["\x1b[2J", "<b>", "é", "x/" * 4000])
def test_what_is_no_name_is_shown_short_and_printable(host: str, client: Client) -> None:
    response = client.get("/status", headers={"host": host})
    message = response.json()["message"]

    assert (response.status_code, message.isprintable()) == (400, True)
    assert message.endswith("is not the name of a host")
    assert len(message) < 120
    assert "PIPELINE_ALLOWED_HOSTS" not in message


def test_a_long_name_is_shown_short(client: Client) -> None:
    message = client.get("/status", headers={"host": "x" * 8000}).json()["message"]

    assert len(message) < 200


@pytest.mark.parametrize("host", ["10.1.2.3:54321", "evil.example.com", ""])
def test_probes_are_answered_by_any_name(host: str, client: Client, gateway: PretendedGateway) -> None:
    assert client.get("/healthz", headers={"host": host}).status_code == 200
    assert client.get("/readyz", headers={"host": host}).status_code in (200, 503)
    assert client.get("/v2/health/live", headers={"host": host}).status_code == 200
