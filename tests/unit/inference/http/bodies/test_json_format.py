"""JSON in and out."""

from __future__ import annotations

import json
import math
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import ParseError

from inference.http.bodies.json_format import JsonParser, JsonRenderer, read_json


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"vector": [0.1, 2]}', {"vector": [0.1, 2]}),
        (b" [] ", []),
        (b"null", None),
        (b"5", 5),
        ('"é"'.encode(), "é"),
        (b'{"a": 1, "a": 2}', {"a": 2}),
    ],
)
def test_json_is_read(body: bytes, value: object) -> None:
    assert JsonParser().parse(BytesIO(body)) == value
    assert read_json(body) == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"vector=0.1",
        b"{'vector': [0.1]}",
        b'{"vector": [NaN]}',
        b'{"vector": [Infinity]}',
        b'{"vector": [-Infinity]}',
        b'{"vector": [.5]}',
        b'{"vector": [0.1,]}',
        b'{"vector": [0.1]} more',
        b"\xff\xfe",
        b"\x00",
        b"[" * 100_000,
        b"[" * 5000 + b"]" * 5000,
    ],
    ids=lambda body: repr(body[:24]),
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(ParseError, match="the body is no JSON"):
        JsonParser().parse(BytesIO(body))
    with pytest.raises(ParseError, match="the body is no JSON"):
        read_json(body)


def test_the_refusal_does_not_repeat_a_long_body() -> None:
    with pytest.raises(ParseError) as refusal:
        JsonParser().parse(BytesIO(b'{"vector": "' + b"x" * 10_000))

    assert len(str(refusal.value)) < 300


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_float32_is_written_so_that_it_is_read_back_exactly(number: float) -> None:
    written = JsonRenderer().render({"result": np.float32(number).item()})

    assert np.float32(json.loads(written)["result"]) == np.float32(number)


def test_a_float32_shows_every_digit_that_tells_it_from_a_double() -> None:
    assert JsonRenderer().render(np.float32(1.0000178813934326).item()) == b"1.0000178813934326"


def test_answers_are_utf8_and_compact() -> None:
    assert JsonRenderer().render({"message": "é", "result": [1.0, 2]}) == '{"message":"é","result":[1.0,2]}'.encode()


def test_a_number_that_json_does_not_have_is_written_as_null() -> None:
    assert JsonRenderer().render({"result": math.nan}) == b'{"result":null}'
