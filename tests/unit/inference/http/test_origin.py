"""A page of another site that a browser has open changes nothing; clients that are no browsers are not asked."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern
from rest_framework.permissions import SAFE_METHODS

from gateway_site.urls import urlpatterns
from inference.versions.asking import Answers
from tests.unit import asking
from tests.unit.inference.http.predicting import ROW, answer_of
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import NN_ID, active_number, loaded, two_versions

HOST = "gateway.example:54321"
FOREIGN: list[dict[str, str]] = [
    {"origin": "http://evil.example"},
    {"origin": "https://evil.example:54321"},
    {"origin": "http://gateway.example"},
    {"origin": "http://gateway.example:54321.evil.example"},
    {"origin": "http://evil.example/gateway.example:54321"},
    {"origin": "null"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "something new"},
    {"sec-fetch-site": "cross-site", "origin": f"http://{HOST}"},
]
OWN: list[dict[str, str]] = [
    {},
    {"origin": f"http://{HOST}"},
    {"origin": f"https://{HOST.upper()}"},
    {"sec-fetch-site": "same-origin"},
    {"sec-fetch-site": "none"},
    {"sec-fetch-site": "same-origin", "origin": "https://outside.example"},
    {"sec-fetch-mode": "cors", "accept": "*/*", "accept-language": "*"},  # Node's fetch
]


def send(client: Client, method: str, path: str, headers: dict[str, str], body: Any = "") -> Any:
    # A page may send text/plain to any site, and the browser does not ask that site first.
    if method == "POST" and path.endswith(("predict", "/infer")):
        return asking.ask(path, body or ROW, headers={"Host": HOST, "Content-Type": "text/plain", **headers})
    return client.generic(method, path, body, content_type="text/plain", headers={"host": HOST, **headers})


@pytest.fixture
def served(gateway: PretendedGateway, db: None) -> PretendedGateway:
    """Versions 1 and 2, the second active, and a worker that loads what it is asked to."""
    gateway.fleet.reports = Answers([loaded("w1")], 0)
    two_versions()
    return gateway


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_page_of_another_site_changes_nothing(
    headers: dict[str, str], client: Client, served: PretendedGateway
) -> None:
    for path, body in (("activate", '{"version": 1}'), ("rollback", "")):
        response = send(client, "POST", f"/networks/{NN_ID}/{path}", headers, body)

        assert (response.status_code, response.json()["status"]) == (403, False)
        assert "another site" in response.json()["message"]
    assert active_number() == 2
    assert served.fleet.loads == []


@pytest.mark.parametrize("headers", OWN, ids=str)
def test_the_gateways_own_pages_and_other_clients_are_let_through(
    headers: dict[str, str], client: Client, served: PretendedGateway
) -> None:
    response = send(client, "POST", f"/networks/{NN_ID}/activate", headers, '{"version": 1}')

    assert response.status_code == 200
    assert active_number() == 1


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_page_of_another_site_has_nothing_predicted(
    headers: dict[str, str], client: Client, gateway: PretendedGateway
) -> None:
    response = send(client, "POST", "/predict", headers)

    assert (response.status_code, response.json()["status"]) == (403, False)
    assert "another site" in response.json()["message"]
    assert gateway.dispatcher.submitted == []


@pytest.mark.parametrize("headers", OWN, ids=str)
def test_the_gateways_own_pages_and_other_clients_have(
    headers: dict[str, str], client: Client, gateway: PretendedGateway
) -> None:
    gateway.dispatcher.outcome = answer_of([[0.75]])

    assert send(client, "POST", "/predict", headers).status_code == 200


def addresses() -> list[str]:
    """Every address of the REST interface."""
    found = []
    for pattern in urlpatterns:
        if isinstance(pattern, URLPattern):
            path = "/" + str(pattern.pattern)
            parts = {"network:network": NN_ID, "version:number": "1", "network:label": "stable", "path:rest": "else"}
            for converter, value in parts.items():
                path = path.replace(f"<{converter}>", value)
            found.append(path)
    return found


@pytest.mark.parametrize("path", addresses())
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_it_holds_for_every_address_and_method_that_changes_something(method: str, path: str, client: Client) -> None:
    assert "<" not in path
    assert send(client, method, path, FOREIGN[0]).status_code == 403


@pytest.mark.parametrize("method", SAFE_METHODS)
def test_reading_is_not_refused(method: str, client: Client, served: PretendedGateway) -> None:
    assert send(client, method, f"/networks/{NN_ID}/versions/1/weights", FOREIGN[0]).status_code == 200


def test_an_origin_without_a_host_to_compare_it_with_is_foreign(client: Client, served: PretendedGateway) -> None:
    response = client.post(f"/networks/{NN_ID}/rollback", headers={"origin": "null"})

    assert response.status_code == 403
