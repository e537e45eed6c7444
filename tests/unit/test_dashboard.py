"""The dashboard's page: its figures, what it says while there is nothing to show, who sees it, what it costs."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import replace
from time import monotonic
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from inference.asking import Answers
from inference.dashboard import last_answer
from inference.errors import BrokerUnavailableError
from inference.statistics.timing import Timing
from inference.timings import Timings
from tests.unit.admin_samples import TRACE, past, person, queries, text
from tests.unit.samples import NN_ID, PretendedGateway, activated, worker_status
from workers.protocol import GatewayStatus, WorkerStatus

pytestmark = pytest.mark.django_db
PAGE, PARTS = "/admin/", "/admin/dashboard/"
#: Those of the session, the user and permissions among them.
QUERIES_MAX = 14
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def viewer(gateway: PretendedGateway) -> Client:
    return person("viewer")


@pytest.fixture
def running(gateway: PretendedGateway) -> PretendedGateway:
    """Version 2 is active, two workers show it, and 100 requests have come, one of which failed."""
    activated(past()[1])
    gateway.fleet.statuses = Answers([showing("w1"), showing("w2")], 0)
    timings = Timings()
    for number in range(100):
        outcome = "failed" if number == 0 else "answered"
        total_ms = 3.0 if number < 90 else 40.0
        timings.add(Timing(timezone.now(), NN_ID, 2, "w1", 1, 1, total_ms, 0.5, 0.25, outcome))
    timings.flush()
    return gateway


def showing(worker: str, number: int = 2) -> WorkerStatus:
    return replace(worker_status(worker), number=number)


def shown(page: str, part: str) -> str:
    """The text of the element of an id, without what is in it."""
    found = re.search(rf'id="{part}"[^>]*>([^<]*)', page)
    assert found, part
    return found.group(1).strip()


def data(page: str, part: str, name: str) -> str:
    """An attribute of the element of an id."""
    found = re.search(rf'id="{part}"[^>]*\bdata-{name}="([^"]*)"', page)
    assert found, (part, name)
    return found.group(1)


@pytest.mark.parametrize("path", [PAGE, PARTS])
def test_it_tells_how_requests_fare(path: str, viewer: Client, running: PretendedGateway) -> None:
    page = text(viewer, path)

    assert 3600 <= 100 / float(data(page, "rate", "value")) < 3660
    assert (shown(page, "errors"), shown(page, "errors-count"), shown(page, "count")) == ("1.00%", "1", "100")
    assert float(data(page, "p50", "value")) == pytest.approx(3.0, rel=0.02)
    assert float(data(page, "p99", "value")) == pytest.approx(40.0, rel=0.02)
    assert data(page, "health", "level") == "warn"
    assert 'data-problem="errors"' in page


@pytest.mark.parametrize(("asked", "chosen"), [("day", "day"), ("week", "week"), ("", "hour"), ("x" * 99, "hour")])
def test_a_range_is_chosen(asked: str, chosen: str, viewer: Client, running: PretendedGateway) -> None:
    page = text(viewer, f"{PARTS}?range={asked}")

    assert re.search(rf'data-range="{chosen}"\s+aria-current="true"', page)
    assert page.count("aria-current") == 1


def test_the_charts_have_their_numbers_with_them(viewer: Client, running: PretendedGateway) -> None:
    found = re.search(r'<script id="chart-data" type="application/json">(.*?)</script>', text(viewer, PAGE))
    assert found
    chart: dict[str, Any] = json.loads(found.group(1))

    assert chart.keys() == {"labels", "answered", "errors", "p50", "p95", "p99"}
    assert len(chart["labels"]) in (60, 61)


def test_it_shows_queue_fleet_and_default_network(viewer: Client, running: PretendedGateway) -> None:
    running.fleet.gateway_statuses = Answers([GatewayStatus("one", 9, 256), GatewayStatus("two", 4, 256)], 0)
    running.own_status = GatewayStatus("one", 3, 256)

    page = text(viewer, PAGE)

    assert (data(page, "queue", "held"), data(page, "queue", "limit")) == ("7", "512")
    assert (data(page, "default-network", "nn_id".replace("_", "-")), data(page, "active-version", "version")) == (
        NN_ID,
        "2",
    )
    assert re.findall(r'data-worker="(\w+)" data-state="(\w+)"', page) == [("w1", "connected"), ("w2", "connected")]
    assert "192.0.2.7" in page
    assert re.findall(r'<tr data-outcome="(\w+)"', page) == ["activated", "failed", "activated", "activated"]


def test_a_worker_that_has_gone_is_shown_with_when_it_was_seen(viewer: Client, running: PretendedGateway) -> None:
    running.fleet.statuses = Answers([showing("w9")], 0)

    page = text(viewer, PAGE)

    assert 'data-worker="w9" data-state="connected"' in page
    assert 'data-worker="w1" data-state="gone"' in page


def test_a_worker_of_another_version_is_marked(viewer: Client, running: PretendedGateway) -> None:
    running.fleet.statuses = Answers([showing("w1"), showing("w2", 1)], 0)

    page = text(viewer, PAGE)

    assert page.count("db-badge-warn") == 1
    assert 'data-problem="version-skew"' in page


def test_without_a_network_it_is_said_how_to_send_one(viewer: Client, gateway: PretendedGateway) -> None:
    gateway.fleet.statuses = Answers([replace(worker_status("w1"), nn_id=None, number=None)], 0)
    page = text(viewer, PAGE)

    assert data(page, "health", "level") == "start"
    assert "curl -X PUT http://testserver/set_weights" in page
    assert "curl -X POST http://testserver/predict" in page
    assert 'id="upload"' not in page
    assert 'href="/admin/inference/network/upload/"' in text(person("operator", "other"), PAGE)


def test_without_a_worker_it_is_said_how_to_start_one(viewer: Client, running: PretendedGateway) -> None:
    running.fleet.statuses = Answers([], 0)

    page = text(viewer, PAGE)

    assert data(page, "health", "level") == "bad"
    assert "celery -A workers worker" in page[page.index('id="no-worker"') :]


@pytest.mark.parametrize("connected", [True, False])
def test_without_a_broker_it_is_said_at_once(connected: bool, viewer: Client, running: PretendedGateway) -> None:
    running.fleet.statuses = BrokerUnavailableError("gone")
    running.replies.connected = connected

    page = text(viewer, PAGE)

    assert 'data-problem="no-broker"' in page
    assert 'id="no-broker"' in page
    assert 'data-worker="w1" data-state="unknown"' in page
    assert shown(page, "count") == "100"


def test_workers_that_hang_hold_nothing_up(
    viewer: Client, running: PretendedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(last_answer, "FRESH_SECONDS", 0.0)
    text(viewer, PAGE)
    answers = running.fleet.statuses

    def hang(*_: object) -> Answers[WorkerStatus]:
        assert go_on.wait(30)
        assert isinstance(answers, Answers)
        return answers

    monkeypatch.setattr(running.fleet, "status", hang)
    started = monotonic()
    pages = [text(viewer, PARTS) for _ in range(3)]
    took = monotonic() - started
    go_on.set()

    assert took < 2
    assert all('data-worker="w2" data-state="connected"' in page for page in pages)


def test_more_networks_and_workers_take_no_more_queries(viewer: Client, running: PretendedGateway) -> None:
    few = {path: queries(lambda path=path: text(viewer, path)) for path in (PAGE, PARTS)}
    for number in range(1, 200):
        activated(past(f"{number:032x}")[1])
    running.fleet.statuses = Answers([showing(f"w{number}") for number in range(50)], 0)

    assert {path: queries(lambda path=path: text(viewer, path)) for path in few} == few
    assert max(few.values()) <= QUERIES_MAX


def test_who_may_not_look_is_told_why(running: PretendedGateway) -> None:
    nobody = person(None)

    page = text(nobody, PAGE)

    assert 'id="no-dashboard"' in page
    assert 'id="fleet"' not in page
    text(nobody, PARTS, 403)


def test_a_stranger_is_sent_to_the_login(client: Client, gateway: PretendedGateway) -> None:
    for path in (PAGE, PARTS):
        response = client.get(path)
        assert (response.status_code, response.headers["Location"].partition("?")[0]) == (302, "/admin/login/")


def test_nothing_is_posted(gateway: PretendedGateway) -> None:
    admin = Client(raise_request_exception=False)
    admin.force_login(User.objects.create_superuser("root"))

    assert {admin.post(path).status_code for path in (PAGE, PARTS)} == {405}


def test_text_of_others_stays_text(viewer: Client, running: PretendedGateway) -> None:
    evil = replace(showing(EVIL), address=[EVIL], number=1)
    running.fleet.statuses = Answers([evil], 0)
    assert EVIL in TRACE

    for path in (PAGE, PARTS, f'{PARTS}?range="{EVIL}'):
        page = text(viewer, path)
        assert "<script>alert(1)" not in page
        assert "&lt;script&gt;alert(1)" in page
