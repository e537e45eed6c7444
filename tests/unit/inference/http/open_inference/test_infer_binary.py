"""Inputs that come as bytes behind the JSON: byte for byte, and no byte too few or too many."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import numpy as np
import pytest

from inference.http.open_inference.datatypes import DTYPES
from tests.unit.asking import ask
from tests.unit.inference.http.open_inference.inferring import (
    ADDRESS,
    HEAD_SIZE,
    asked,
    binary,
    float32,
    infer,
    send,
    tensor,
    texts,
)
from tests.unit.inference.http.open_inference.test_infer_body import refused
from tests.unit.inference.http.predicting import answer_of
from tests.unit.pretended_gateway import PretendedGateway

NUMBERS = [name for name in DTYPES if name != "BYTES"]
ROW, RAW = binary(float32([0.5, 0.25]))


@pytest.fixture(autouse=True)
def answered(gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = answer_of([[0.75]])


@pytest.mark.parametrize("datatype", NUMBERS)
def test_numbers_come_byte_for_byte(datatype: str, gateway: PretendedGateway) -> None:
    array = np.array([[0, 1, 100], [7, 1, 3]]).astype(DTYPES[datatype])
    head, raw = binary(array)

    assert infer(head, raw=raw).status_code == 200

    [(given, _)] = gateway.dispatcher.submitted
    assert given.inputs["x"].data == raw
    assert (given.inputs["x"].dtype, given.inputs["x"].shape) == (DTYPES[datatype], (2, 3))
    assert asked(gateway)["x"].tolist() == array.tolist()


def test_texts_do_too(gateway: PretendedGateway) -> None:
    head, raw = binary(np.array([["", "ü"], ["a\0b", "c" * 300]], object))

    assert infer(head, raw=raw).status_code == 200

    [(given, _)] = gateway.dispatcher.submitted
    assert given.inputs["x"].data == raw
    assert asked(gateway)["x"].tolist() == [["", "ü"], ["a\0b", "c" * 300]]


def test_json_and_bytes_are_mixed_in_any_order(gateway: PretendedGateway) -> None:
    first, last = binary(np.array([7], np.int64), "a"), binary(np.array(["ü"], object), "c")

    response = infer(first[0], tensor([0.5], [1], name="b"), last[0], raw=first[1] + last[1])

    assert response.status_code == 200
    assert {name: array.tolist() for name, array in asked(gateway).items()} == {"a": [7], "b": [0.5], "c": ["ü"]}


def test_a_large_one_is_read_as_a_small_one_is(gateway: PretendedGateway) -> None:
    array = np.arange(100_000, dtype=np.float32).reshape(10, -1)
    head, raw = binary(array)

    assert infer(head, raw=raw).status_code == 200
    assert np.array_equal(asked(gateway)["x"], array)


def test_all_may_be_json_and_the_header_say_so(gateway: PretendedGateway) -> None:
    head = json.dumps({"inputs": [tensor([0.5], [1])]}).encode()

    assert send(head, head_size=len(head)).status_code == 200


@pytest.mark.parametrize(
    ("size", "raw", "why"),
    [
        (9, RAW, "binary_data_size must be a number of bytes; 8 are left"),
        (7, RAW, "7 bytes of data where the shape needs 8"),
        (7, RAW[:7], "7 bytes of data where the shape needs 8"),
        (8, RAW[:7], "binary_data_size must be a number of bytes; 7 are left"),
        (8, RAW + b"x", "1 bytes behind the JSON belong to no input"),
        (9, RAW + b"x", "9 bytes of data where the shape needs 8"),
        (0, RAW, "0 bytes of data where the shape needs 8"),
        (-1, RAW, "binary_data_size must be a number of bytes"),
        ("8", RAW, "binary_data_size must be a number of bytes"),
        (8.0, RAW, "binary_data_size must be a number of bytes"),
        (True, RAW, "binary_data_size must be a number of bytes"),
        (10**18, RAW, "binary_data_size must be a number of bytes"),
    ],
)
def test_a_wrong_length_is_refused(size: Any, raw: bytes, why: str, gateway: PretendedGateway) -> None:
    wrong = {**ROW, "parameters": {"binary_data_size": size}}

    assert why in refused(infer(wrong, raw=raw), gateway)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (texts("a"), "data hold no 2 texts"),
        (texts("a", "b", "c"), "the lengths of 2 texts"),
        (texts("a", "b")[:-1], "the lengths of 2 texts"),
        (texts("a") + b"\xff\xff\xff\xff", "the lengths of 2 texts"),
        (texts("a", b"\xff"), "a text is no UTF-8"),
    ],
)
def test_texts_of_a_wrong_length_are_refused(raw: bytes, why: str, gateway: PretendedGateway) -> None:
    head = {"name": "x", "shape": [1, 2], "datatype": "BYTES", "parameters": {"binary_data_size": len(raw)}}

    assert why in refused(infer(head, raw=raw), gateway)


def test_the_bytes_of_a_shape_without_end_are_not_asked_for(gateway: PretendedGateway) -> None:
    head = {"name": "x", "shape": [10**15], "datatype": "BYTES", "parameters": {"binary_data_size": 8}}

    assert "shape must have at most 2147483647 numbers" in refused(infer(head, raw=b"\0" * 8), gateway)


@pytest.mark.parametrize("shape", [[2**63, 0], [1, 2**62, 0], [2**31, 0]])
def test_a_shape_that_nothing_holds_is_refused_also_without_any_bytes(
    shape: list[int], gateway: PretendedGateway
) -> None:
    head = {"name": "x", "shape": shape, "datatype": "FP32", "parameters": {"binary_data_size": 0}}

    assert "shape must have at most 2147483647 numbers" in refused(infer(head), gateway)


def test_rows_of_no_bytes_are_bounded(gateway: PretendedGateway) -> None:
    head = {"name": "x", "shape": [10**8, 0], "datatype": "FP32", "parameters": {"binary_data_size": 0}}

    assert "there must be 1 to 4194304 rows" in refused(infer(head), gateway)


@pytest.mark.parametrize("said", ["", "x", "-1", "1e2", "0x10", "1.0", " ", "9" * 13, "9" * 5000, "99999", "²"])
def test_a_header_that_is_no_length_is_refused(said: str, gateway: PretendedGateway) -> None:
    head = json.dumps({"inputs": [ROW]}).encode()

    assert f"{HEAD_SIZE} must be the number of bytes" in refused(send(head, RAW, said), gateway)


@pytest.mark.parametrize("off", [-1, 1])
def test_a_header_that_is_off_by_one_is_refused(off: int, gateway: PretendedGateway) -> None:
    head = json.dumps({"inputs": [ROW]}).encode()

    refused(send(head, RAW, len(head) + off), gateway)
    refused(send(head, RAW, 0), gateway)


def test_without_the_header_all_is_json(gateway: PretendedGateway) -> None:
    head = json.dumps({"inputs": [ROW]}).encode()

    assert "no JSON" in refused(ask(ADDRESS, head + RAW), gateway)
    assert "0 are left" in refused(ask(ADDRESS, head), gateway)


def test_an_input_has_data_or_bytes_and_not_both(gateway: PretendedGateway) -> None:
    assert (
        refused(infer({**ROW, "data": [0.5, 0.25]}, raw=RAW), gateway) == "input 'x' has both data and binary_data_size"
    )


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
@pytest.mark.parametrize("numbers", [2, 40_000])
def test_the_header_counts_before_compression(coding: str, pack: Any, numbers: int, gateway: PretendedGateway) -> None:
    array = np.arange(numbers, dtype=np.float64).reshape(1, -1)
    tensor, raw = binary(array)
    head = json.dumps({"inputs": [tensor]}).encode()
    headers = {"Content-Encoding": coding, HEAD_SIZE: str(len(head))}

    assert ask(ADDRESS, pack(head + raw), headers=headers).status_code == 200
    assert np.array_equal(asked(gateway)["x"], array)


@pytest.mark.parametrize("content_type", ["", "application/octet-stream", "application/x-www-form-urlencoded"])
def test_the_content_type_is_not_looked_at(content_type: str, gateway: PretendedGateway) -> None:
    head = json.dumps({"inputs": [ROW]}).encode()

    assert send(head, RAW, headers={"Content-Type": content_type}).status_code == 200
