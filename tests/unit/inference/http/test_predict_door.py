"""POST /predict as the application answers it, with the dispatcher behind it replaced."""

from __future__ import annotations

import asyncio
import base64
import gc
import gzip
import threading
from collections.abc import Callable
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from inference.errors import (
    BusyError,
    ConflictError,
    InferenceError,
    NoNetworkError,
    NotFoundError,
    PredictionFailedError,
)
from inference.http.exchange import Exchange
from inference.http.predict_door import PredictDoor
from tests.unit.asking import Answered, Asked, application, ask
from tests.unit.inference.http.predicting import MANY, ROW, answer_of, post
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import NN_ID, OTHER_NN_ID
from workers.messages.arrays import to_array
from workers.messages.tensors import ONLY_INPUT


def test_a_vector_is_answered_by_one_number(gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = answer_of([[1.0000178813934326]])

    response = post({"vector": [0.5, 0.25]})

    assert response.status_code == 200
    assert response.content == (
        b'{"status":true,"message":"' + NN_ID.encode() + b'","result":1.0000178813934326,"version":1}'
    )
    [(asked, _)] = gateway.dispatcher.submitted
    assert (asked.network, asked.version, asked.single) == (None, None, True)
    assert to_array(asked.inputs[ONLY_INPUT]).tolist() == [[0.5, 0.25]]


def test_a_network_and_a_version_may_be_asked_for(gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = answer_of([[0.75]])

    post({"vector": [0.5, 0.25], "nn_id": OTHER_NN_ID, "version": 3})

    [(asked, _)] = gateway.dispatcher.submitted
    assert (asked.network, asked.version) == (OTHER_NN_ID, 3)


@pytest.mark.parametrize(("error", "status"), [(NotFoundError("no such version"), 404), (ConflictError("failed"), 409)])
def test_a_version_that_cannot_be_used_is_told(error: InferenceError, status: int, gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = error

    response = post({"vector": [0.5, 0.25], "version": 3})

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
    body: Any, outputs: Any, result: Any, gateway: PretendedGateway
) -> None:
    gateway.dispatcher.outcome = answer_of(outputs)

    assert post(body).json()["result"] == result


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", "", "application/json"])
def test_json_is_read_whatever_it_is_called(content_type: str, gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = answer_of([[0.75]])

    assert post({"vector": [0.5, 0.25]}, headers={"Content-Type": content_type}).json()["result"] == 0.75


def test_the_answer_is_json_whatever_the_client_accepts(gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = answer_of([[0.75]])

    response = post({"vector": [0.5]}, headers={"Accept": "text/html"})

    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")


@pytest.mark.parametrize(
    "body",
    [b"", b"vector", b"[0.1, 0.2]", b"{}", b'{"vector": []}', b'{"vector": "0.1"}', b'{"vector": [0.1, 1e400]}',
     b'{"vector": [NaN]}', b'{"vector": [[0.1], 1]}', b'{"data": 0.1}', b'{"vector": [true, 1]}', b"\xff",
     b'{"vector": [1], "nn_id": "a b"}', b'{"vector": [1], "version": 0}', b'{"data": {"a": [1], "b": [1, 2]}}',
     b"[" * 100_000],
    ids=lambda body: repr(body[:30]),
)  # fmt: skip
@pytest.mark.parametrize("framing", ["length", "chunks", "gzip"])
def test_a_body_that_cannot_be_predicted_is_400(body: bytes, framing: str, gateway: PretendedGateway) -> None:
    ways: dict[str, Any] = {
        "length": {"body": body},
        "chunks": {"pieces": [body[:9], body[9:], b""]},
        "gzip": {"body": gzip.compress(body), "headers": {"Content-Encoding": "gzip"}},
    }

    response = ask("/predict", **ways[framing])

    assert response.status_code == 400
    assert response.json()["status"] is False
    assert response.json()["message"]
    assert gateway.dispatcher.submitted == []


def test_a_failed_prediction_is_200_with_its_trace(gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = PredictionFailedError("Traceback\nRowsError: three numbers")

    response = post({"vector": [1, 2, 3]})

    assert (response.status_code, response.json()["status"], response.json()["result"]) == (200, False, 0.0)
    assert base64.b64decode(response.json()["message"]).decode() == "Traceback\nRowsError: three numbers"
    assert response.json()["error"] == "RowsError: three numbers"


def test_a_prediction_without_a_network_is_200_and_says_so(gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = NoNetworkError("whatever")

    response = post(ROW)

    assert response.status_code == 200
    assert response.json() == {
        "status": False,
        "message": "No weights loaded",
        "result": 0.0,
        "error": "No weights loaded",
    }


def test_a_busy_server_is_503(gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = BusyError("Server is busy")

    response = post({"vector": [1, 2]})

    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
    assert response.json() == {"status": False, "message": "Server is busy"}


@pytest.mark.parametrize("length", [{}, {"Content-Length": "1000000"}])
def test_what_there_is_no_room_for_is_refused_before_it_is_read(
    length: dict[str, str], gateway: PretendedGateway
) -> None:
    gateway.dispatcher.admission.full = True
    asked = Asked("/predict", pieces=[ROW, bytes(1_000_000 - len(ROW))], headers=length)
    response = answered(asked)

    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
    assert response.json() == {"status": False, "message": "Server is busy"}
    assert len(asked.pieces) == 2
    assert gateway.dispatcher.submitted == []
    [timing] = gateway.timings.noted
    assert (timing.outcome, timing.rows, timing.nn_id) == ("refused", 0, "")


def test_other_methods_there_are_answered_meanwhile(gateway: PretendedGateway) -> None:
    gateway.dispatcher.admission.full = True

    assert ask("/predict", method="GET").status_code == 405


def answered(asked: Asked) -> Answered:
    with application() as answers:
        asyncio.run(answers(asked.scope, asked.receive, asked.send))
    return asked.answered


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("here.example.com", "add it to PIPELINE_ALLOWED_HOSTS"),
        ("there.example.com.evil.example", "add it to PIPELINE_ALLOWED_HOSTS"),
        ("evil.example,there.example.com", "is not the name of a host"),
        ("", "is not the name of a host"),
        ("[:", "is not the name of a host"),
        ("é", "is not the name of a host"),
    ],
)
def test_a_host_that_is_not_ours_is_refused(
    host: str, says: str, settings: Settings, gateway: PretendedGateway
) -> None:
    settings.ALLOWED_HOSTS = ["there.example.com"]

    response = post(ROW, headers={"Host": host})

    assert response.status_code == 400
    assert says in response.json()["message"]
    assert gateway.dispatcher.submitted == []


@pytest.mark.parametrize(("hosts", "status"), [(["127.0.0.1"], 200), (["there.example.com"], 400)])
def test_who_names_no_host_asks_the_address_that_it_came_to(
    hosts: list[str], status: int, settings: Settings, gateway: PretendedGateway
) -> None:
    settings.ALLOWED_HOSTS = hosts
    gateway.dispatcher.outcome = answer_of([[0.75]])
    for path, method, body in (("/predict", "POST", ROW), ("/api/docs", "GET", b"")):
        asked = Asked(path, body, method)
        asked.scope["headers"] = [each for each in asked.scope["headers"] if each[0] != b"host"]

        assert answered(asked).status_code == status


def test_the_dispatcher_can_ask_whether_the_client_has_ended_its_side(gateway: PretendedGateway) -> None:
    class Ended(Exchange):
        def client_has_ended(self) -> bool:
            return True

    gateway.dispatcher.outcome = answer_of([[0.75]])
    post(ROW, exchange=Ended())
    post(ROW)

    assert [has_ended() for has_ended in gateway.dispatcher.clients] == [True, False]


# What it takes.


def test_a_large_answer_is_written_beside_the_loop(gateway: PretendedGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[bool] = []
    written = PredictDoor.write

    def write(*arguments: Any) -> Any:
        threads.append(threading.current_thread() is threading.main_thread())
        return written(*arguments)

    monkeypatch.setattr(PredictDoor, "write", write)
    for count in (MANY, MANY + 1):
        gateway.dispatcher.outcome = answer_of([[0.5] * count])
        assert post(ROW).json()["result"] == [0.5] * count

    assert threads == [True, False]


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (ROW, lambda: answer_of([[0.75]])),
        (b"{", lambda: answer_of([[0.75]])),
        (ROW, lambda: BusyError("busy")),
        (ROW, lambda: None),
        (ROW, lambda: PredictionFailedError("trace")),
    ],
    ids=["answered", "unreadable", "refused", "late", "failed"],
)
def test_a_request_leaves_nothing_to_the_garbage_collector(
    body: bytes, outcome: Callable[[], Any], gateway: PretendedGateway
) -> None:
    async def left_by(count: int) -> int:
        with application() as answers:
            for number in range(count + 1):
                asked, gateway.dispatcher.outcome = Asked("/predict", body), outcome()
                await answers(asked.scope, asked.receive, asked.send)
                assert asked.answered.status_code in (200, 400, 500, 503, 504)
                if not number:
                    gc.collect()
                    gc.disable()
            return gc.collect()

    try:
        left = asyncio.run(left_by(10))
    finally:
        gc.enable()

    assert left == 0
