"""How the body of a POST to /predict may come, and what is answered when it does not come whole."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from inference.errors import (
    BadInputError,
    ClientTimeoutError,
)
from inference.http.bodies.request_body import SMALL_BYTES
from tests.unit.asking import ask
from tests.unit.inference.http.predicting import ROW, answer_of, post
from tests.unit.pretended_gateway import PretendedGateway
from workers.messages.arrays import to_array
from workers.messages.tensors import ONLY_INPUT


@pytest.mark.parametrize("size", [0, SMALL_BYTES, 300_000])
@pytest.mark.parametrize("coding", ["", "gzip", "x-gzip", "deflate"])
@pytest.mark.parametrize("in_chunks", [False, True])
def test_a_body_is_read_however_it_comes(size: int, coding: str, in_chunks: bool, gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = answer_of([[0.75]])
    body = ROW + b" " * size
    if coding:
        body = zlib.compress(body) if coding == "deflate" else gzip.compress(body)
    headers = {"Content-Encoding": coding} if coding else {}

    middle = len(body) // 2
    way: dict[str, Any] = {"pieces": [body[:middle], body[middle:], b""]} if in_chunks else {"body": body}

    assert ask("/predict", headers=headers, **way).json()["result"] == 0.75
    [(asked, _)] = gateway.dispatcher.submitted
    assert to_array(asked.inputs[ONLY_INPUT]).tolist() == [[0.5, 0.25]]


@pytest.mark.parametrize("length", [len(ROW) + 7, SMALL_BYTES + 1])
def test_a_body_that_breaks_off_is_refused_even_when_it_is_json(length: int, gateway: PretendedGateway) -> None:
    response = ask("/predict", pieces=[ROW], headers={"Content-Length": str(length)})

    assert response.status_code == 400
    assert response.json()["message"] == f"the body broke off: {length - len(ROW)} bytes are missing"
    assert gateway.dispatcher.submitted == []


@pytest.mark.parametrize("size", [0, 100_000])
def test_so_is_one_in_chunks_and_one_that_is_compressed(size: int, gateway: PretendedGateway) -> None:
    body, fault = ROW + b" " * size, BadInputError("the body broke off")
    chunked = ask("/predict", pieces=[body, b""], fault=fault)
    packed = ask("/predict", gzip.compress(body)[:-1], headers={"Content-Encoding": "gzip"})

    assert (chunked.status_code, chunked.json()["message"]) == (400, "the body broke off")
    assert (packed.status_code, packed.json()["message"]) == (400, "the compressed body broke off")
    assert gateway.dispatcher.submitted == []


def test_one_that_does_not_come_in_time_is_408(gateway: PretendedGateway) -> None:
    for length in ("100", "100000"):
        about: dict[str, Any] = {"pieces": [ROW, b""], "headers": {"Content-Length": length}}
        response = ask("/predict", fault=ClientTimeoutError("it did not come in time"), **about)

        assert (response.status_code, response.json()["message"]) == (408, "it did not come in time")


def test_a_client_that_goes_away_is_asked_nothing(gateway: PretendedGateway) -> None:
    assert ask("/predict", pieces=[ROW], gone=True).status_code == 400
    assert gateway.dispatcher.submitted == []


def test_a_compression_that_is_not_read_here_is_415(gateway: PretendedGateway) -> None:
    response = post(ROW, headers={"Content-Encoding": "br"})

    assert response.status_code == 415
    assert response.json() == {
        "status": False, "message": "the Content-Encoding 'br' is not read here: send gzip, deflate, or none"
    }  # fmt: skip


@pytest.mark.parametrize("size", [SMALL_BYTES // 2, 2 * SMALL_BYTES])
def test_a_body_over_the_limit_is_413(size: int, gateway: PretendedGateway, settings: Settings) -> None:
    settings.PIPELINE_MAX_BODY_BYTES = size
    body = ROW + b" " * (size + 1 - len(ROW))
    packed = gzip.compress(body)

    ways: list[dict[str, Any]] = [
        {"body": body},
        {"pieces": [body[:size], body[size:]]},
        {"body": packed, "headers": {"Content-Encoding": "gzip"}},
        {"pieces": [packed], "headers": {"Content-Encoding": "gzip"}},
    ]
    for way in ways:
        response = ask("/predict", **way)
        assert (response.status_code, response.json()["status"]) == (413, False)
        assert str(size) in response.json()["message"]
    assert gateway.dispatcher.submitted == []

    gateway.dispatcher.outcome = answer_of([[0.75]])
    for way in ({"body": body[:size]}, {"pieces": [body[:size]]}):
        assert ask("/predict", **way).status_code == 200
