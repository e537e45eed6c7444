"""POST /predict, GET /status and what is neither, with the service behind them replaced."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from inference.dispatch.answer import Answer
from inference.errors import (
    BrokerUnavailableError,
    BusyError,
    ConflictError,
    InferenceError,
    NotFoundError,
    PredictionFailedError,
)
from inference.versions import selectors
from inference.versions.asking import Answers
from tests.unit.samples import NN_ID, OTHER_NN_ID, VERSION, PretendedGateway, worker_status
from workers.messages.arrays import to_array
from workers.messages.protocol import GatewayStatus
from workers.messages.tensors import ONLY_INPUT


def answer_of(outputs: Any) -> Answer:
    return Answer(VERSION, {"sum": np.array(outputs, np.float32)}, "worker-1@here", 1, 0.1, 0.2)


def post(client: Client, body: Any, **options: Any) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post("/predict", content, **{"content_type": "application/json", **options})


def test_a_vector_is_answered_by_one_number(client: Client, gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = answer_of([[1.0000178813934326]])

    response = post(client, {"vector": [0.5, 0.25]})

    assert response.status_code == 200
    assert response.content == (
        b'{"status":true,"message":"' + NN_ID.encode() + b'","result":1.0000178813934326,"version":1}'
    )
    [(asked, _)] = gateway.dispatcher.submitted
    assert (asked.nn_id, asked.version, asked.single) == (None, None, True)
    assert to_array(asked.inputs[ONLY_INPUT]).tolist() == [[0.5, 0.25]]


def test_a_network_and_a_version_may_be_asked_for(client: Client, gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = answer_of([[0.75]])

    post(client, {"vector": [0.5, 0.25], "nn_id": OTHER_NN_ID, "version": 3})

    [(asked, _)] = gateway.dispatcher.submitted
    assert (asked.nn_id, asked.version) == (OTHER_NN_ID, 3)


@pytest.mark.parametrize(("error", "status"), [(NotFoundError("no such version"), 404), (ConflictError("failed"), 409)])
def test_a_version_that_cannot_be_used_is_told(
    error: InferenceError, status: int, client: Client, gateway: PretendedGateway
) -> None:
    gateway.dispatcher.outcome = error

    response = post(client, {"vector": [0.5, 0.25], "version": 3})

    assert (response.status_code, response.json()) == (status, {"status": False, "message": str(error)})


@pytest.mark.parametrize(
    ("body", "outputs", "result"),
    [
        ({"vector": [1, 2]}, [[1.0, 2.0]], [1.0, 2.0]),
        ({"vector": [1, 2]}, [[[1.0], [2.0]]], [[1.0], [2.0]]),
        ({"data": [[1, 2]]}, [[3.0]], [[3.0]]),
        ({"data": [[1, 2], [3, 4]]}, [[3.0], [7.0]], [[3.0], [7.0]]),
    ],
)
def test_several_numbers_are_answered_as_the_network_shapes_them(
    body: Any, outputs: Any, result: Any, client: Client, gateway: PretendedGateway
) -> None:
    gateway.dispatcher.outcome = answer_of(outputs)

    assert post(client, body).json()["result"] == result


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", "", "application/json"])
def test_json_is_read_whatever_it_is_called(content_type: str, client: Client, gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = answer_of([[0.75]])

    assert post(client, {"vector": [0.5, 0.25]}, content_type=content_type).json()["result"] == 0.75


def test_the_answer_is_json_whatever_the_client_accepts(client: Client, gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = answer_of([[0.75]])

    response = post(client, {"vector": [0.5]}, headers={"accept": "text/html"})

    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")


@pytest.mark.parametrize(
    "body",
    [b"", b"vector", b"[0.1, 0.2]", b"{}", b'{"vector": []}', b'{"vector": "0.1"}', b'{"vector": [0.1, 1e400]}',
     b'{"vector": [NaN]}', b'{"vector": [[0.1], 1]}', b'{"data": 0.1}', b'{"vector": [true, 1]}', b"\xff",
     b'{"vector": [1], "nn_id": "x"}', b'{"vector": [1], "version": 0}', b'{"data": {"a": [1], "b": [1, 2]}}',
     b"[" * 100_000],
    ids=lambda body: repr(body[:30]),
)  # fmt: skip
def test_a_body_that_cannot_be_predicted_is_400(body: bytes, client: Client, gateway: PretendedGateway) -> None:
    response = post(client, body)

    assert response.status_code == 400
    assert response.json()["status"] is False
    assert response.json()["message"]
    assert gateway.dispatcher.submitted == []


def test_a_body_over_the_limit_is_413(client: Client, gateway: PretendedGateway, settings: Settings) -> None:
    settings.PIPELINE_MAX_BODY_BYTES = 1000

    response = post(client, {"vector": [0.125] * 1000})

    assert (response.status_code, response.json()["status"]) == (413, False)


def test_a_failed_prediction_is_200_with_its_trace(client: Client, gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = PredictionFailedError("Traceback\nRowsError: three numbers")

    response = post(client, {"vector": [1, 2, 3]})

    assert (response.status_code, response.json()["status"], response.json()["result"]) == (200, False, 0.0)
    assert base64.b64decode(response.json()["message"]).decode() == "Traceback\nRowsError: three numbers"


def test_a_busy_server_is_503(client: Client, gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = BusyError("Server is busy")

    response = post(client, {"vector": [1, 2]})

    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
    assert response.json() == {"status": False, "message": "Server is busy"}


def test_a_defect_is_500_and_tells_a_stranger_nothing(
    client: Client, gateway: PretendedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway.dispatcher, "submit", lambda *_: 1 / 0)

    response = post(client, {"vector": [1, 2]})

    assert (response.status_code, response.headers["Content-Type"]) == (500, "application/json")
    assert response.json() == {"status": False, "message": "internal error; the log tells more"}


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
