"""The dashboard's page: its figures, and what it says while there is nothing to show."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from inference.errors import BrokerUnavailableError
from inference.versions.asking import Answers
from tests.unit.admin_samples import person, text
from tests.unit.dashboard_samples import PAGE, PARTS, data, showing, shown
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import NN_ID, worker_status
from workers.messages.protocol import GatewayStatus

pytestmark = pytest.mark.django_db


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
