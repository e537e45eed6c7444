"""GET /: what a person sees who opens the address, and what a program reads."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from django.test import Client

from inference.errors import BrokerUnavailableError
from inference.health.health_checks import Served
from inference.versions.asking import Answers
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import VERSION, worker_measures

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


class Links(HTMLParser):
    """The addresses that a page leads to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found.append(str(dict(attrs)["href"]))


@pytest.fixture
def ready(gateway: PretendedGateway) -> None:
    gateway.health.what_is_served = Served(VERSION, [])
    gateway.health.what_workers_tell = Answers([worker_measures("w1")], 0)


@pytest.mark.parametrize(
    "accepted",
    ["*/*", "application/json", "", "image/png", "text/html; a*=foo'bar'%41", "text/html; a*=\x01''%41", ";;=;"],
)
def test_a_program_reads_json(accepted: str, client: Client, ready: None) -> None:
    response = client.get("/", headers={"Accept": accepted} if accepted else {})

    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    answer = response.json()
    assert (answer["status"], answer["message"], answer["name"]) == (True, "OK", "Pipeline")
    assert {"admin", "api_docs", "status"} <= answer["links"].keys()


def test_a_browser_shows_a_page(client: Client, ready: None) -> None:
    response = client.get("/", headers={"Accept": BROWSER})

    page = response.content.decode()
    assert (response.status_code, response["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert response["Vary"] == "Accept"
    assert ">ready<" in page
    links = Links()
    links.feed(page)
    assert {"/admin/", "/api/docs", "/status"} <= set(links.found)


def test_every_address_that_it_leads_to_is_there(client: Client, ready: None, db: None) -> None:
    links = client.get("/").json()["links"]
    assert {client.get(address).status_code for address in links.values()} <= {200, 302}


def test_what_is_missing_is_said_to_both(client: Client, gateway: PretendedGateway) -> None:
    gateway.health.what_is_served = Served(VERSION, [])
    gateway.health.what_workers_tell = BrokerUnavailableError("the broker <cannot> be reached")

    answer, page = client.get("/"), client.get("/", headers={"Accept": BROWSER}).content.decode()

    assert (answer.status_code, answer.json()["status"]) == (200, False)
    assert "the broker <cannot> be reached" in answer.json()["message"]
    assert ">not ready<" in page
    assert "the broker &lt;cannot&gt; be reached" in page


def test_nothing_else_is_done_there(client: Client) -> None:
    assert client.post("/").status_code == 405
