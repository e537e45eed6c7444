"""GET /status, and what no view answers, with the service behind them replaced."""

from __future__ import annotations

import pytest
from django.test import Client

from inference.errors import BrokerUnavailableError
from inference.versions import selectors
from inference.versions.asking import Answers
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import NN_ID, VERSION, worker_status
from workers.messages.protocol import GatewayStatus


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "default_version", lambda: VERSION)
    monkeypatch.setattr(selectors, "average_handling_ms", lambda: 2.5)


def test_the_status_tells_queue_times_and_workers(client: Client, gateway: PretendedGateway, database: None) -> None:
    gateway.fleet.statuses = Answers([worker_status("w1")], 1)
    gateway.fleet.gateway_statuses = Answers([GatewayStatus("one", 1, 256), GatewayStatus("two", 2, 256, 7)], 0)
    gateway.own_status = GatewayStatus("one", 1, 256, 5)

    response = client.get("/status")

    assert response.status_code == 200
    assert response.json() == {
        "status": True,
        "message": "OK",
        "queue_requests_current": 3,
        "queue_requests_max": 512,
        "req_handling_time_avg_ms": 2.5,
        "timings_dropped": 12,
        "workers_count": 2,
        "workers_silent": 1,
        "workers": [
            {
                "address": ["192.0.2.7"],
                "nn_id": NN_ID,
                "req_handling_time_avg_ms": 0.7,
                "count_requests_handled": 3,
                "inference_time_avg_ms": 0.5,
                "worker": "w1",
                "version": 1,
            }
        ],
    }
    assert gateway.fleet.defaults == [VERSION]


def test_the_status_without_a_broker_is_503(client: Client, gateway: PretendedGateway, database: None) -> None:
    gateway.fleet.statuses = BrokerUnavailableError("the broker cannot be reached")

    assert client.get("/status").status_code == 503


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        *[(method, "/predict", "POST, OPTIONS") for method in ("get", "put", "patch", "delete")],
        *[(method, "/set_weights", "PUT, OPTIONS") for method in ("get", "post", "patch", "delete")],
        *[(method, "/status", "GET, HEAD, OPTIONS") for method in ("post", "put", "patch", "delete")],
    ],
)
def test_a_wrong_method_is_405(method: str, path: str, allowed: str, client: Client) -> None:
    response = getattr(client, method)(path)

    assert (response.status_code, response.json()["status"]) == (405, False)
    assert set(response.headers["Allow"].split(", ")) | {"HEAD"} == set(allowed.split(", ")) | {"HEAD"}


@pytest.mark.parametrize("path", ["/nowhere", "/predict/", "/predict/more", "/status.json"])
def test_an_unknown_path_is_404(path: str, client: Client) -> None:
    response = client.get(path)

    assert (response.status_code, response.json()) == (404, {"status": False, "message": "not found"})
