"""How an answer to infer looks: its outputs in the order that was asked, as JSON or as bytes, compressed or not."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.http.bodies.request_body import SMALL_BYTES
from inference.http.open_inference.datatypes import DTYPES
from inference.http.open_inference.infer_answer import COMPRESSED_FROM
from tests.unit.asking import Answered
from tests.unit.inference.http.open_inference.inferring import HEAD_SIZE, ROW, float32, infer, send, texts
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import answer_with

NUMBERS = [name for name in DTYPES if name != "BYTES"]


@pytest.fixture(autouse=True)
def outputs(gateway: PretendedGateway) -> dict[str, NDArray[Any]]:
    """Three outputs, of the second request of a batch."""
    made = {
        "a": float32([0.1, 0.2]),
        "b": np.array([[2**60]], np.int64),
        "c": np.array([["ü", ""]], object),
    }
    gateway.dispatcher.outcome = answer_with(made, batch_rows=3)
    return made


def parts(response: Answered) -> tuple[dict[str, Any], bytes]:
    """An answer's JSON, and the bytes behind it."""
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/octet-stream"
    size = int(response.headers[HEAD_SIZE])
    return json.loads(response.content[:size]), response.content[size:]


def test_all_outputs_come_as_json_where_nothing_else_is_asked() -> None:
    response = infer(ROW)

    assert response.headers["Content-Type"] == "application/json"
    assert HEAD_SIZE not in response.headers
    assert response.json()["outputs"] == [
        {"name": "a", "datatype": "FP32", "shape": [1, 2], "data": [0.1, 0.2]},
        {"name": "b", "datatype": "INT64", "shape": [1, 1], "data": [2**60]},
        {"name": "c", "datatype": "BYTES", "shape": [1, 2], "data": ["ü", ""]},
    ]


def test_an_empty_list_of_outputs_asks_for_all_of_them() -> None:
    assert infer(ROW, outputs=[]).json() == infer(ROW).json()


def test_those_that_are_asked_for_come_in_that_order() -> None:
    response = infer(ROW, outputs=[{"name": "c"}, {"name": "a"}])

    assert [each["name"] for each in response.json()["outputs"]] == ["c", "a"]


@pytest.mark.parametrize("name", ["d", "", "A"])
def test_one_that_there_is_not_is_refused(name: str) -> None:
    response = infer(ROW, outputs=[{"name": "a"}, {"name": name}])

    assert response.status_code == 400
    assert response.json() == {"error": f"the network has no output {name!r}; it has 'a', 'b', 'c'"}


@pytest.mark.parametrize("named", [False, True])
def test_all_may_come_as_bytes(named: bool) -> None:
    asks: dict[str, Any] = {"outputs": [{"name": name} for name in "abc"]} if named else {}
    head, raw = parts(infer(ROW, parameters={"binary_data_output": True}, id="7", **asks))

    assert raw == np.array([0.1, 0.2], "<f4").tobytes() + np.array([2**60], "<i8").tobytes() + texts("ü", "")
    assert head == {
        "model_name": "iris",
        "model_version": "1",
        "id": "7",
        "outputs": [
            {"name": "a", "datatype": "FP32", "shape": [1, 2], "parameters": {"binary_data_size": 8}},
            {"name": "b", "datatype": "INT64", "shape": [1, 1], "parameters": {"binary_data_size": 8}},
            {"name": "c", "datatype": "BYTES", "shape": [1, 2], "parameters": {"binary_data_size": 10}},
        ],
    }


@pytest.mark.parametrize("default", [False, True])
def test_each_may_say_otherwise(default: bool) -> None:
    asks = [
        {"name": "b", "parameters": {"binary_data": not default}},
        {"name": "a"},
        {"name": "c", "parameters": {"binary_data": True}},
    ]
    head, raw = parts(infer(ROW, parameters={"binary_data_output": default}, outputs=asks))

    assert [(each["name"], "data" in each) for each in head["outputs"]] == [
        ("b", default),
        ("a", not default),
        ("c", False),
    ]
    assert raw.endswith(texts("ü", ""))
    assert sum(each.get("parameters", {}).get("binary_data_size", 0) for each in head["outputs"]) == len(raw)


@pytest.mark.parametrize("datatype", NUMBERS)
def test_numbers_of_each_datatype_come_in_their_own_digits(datatype: str, gateway: PretendedGateway) -> None:
    array = np.array([[1, 0], [100, 3]]).astype(DTYPES[datatype])
    if array.dtype.kind == "f":
        array += array.dtype.type(0.1)
    gateway.dispatcher.outcome = answer_with({"y": array}, batch_rows=5)

    (told,) = infer(ROW).json()["outputs"]
    head, raw = parts(infer(ROW, parameters={"binary_data_output": True}))

    assert (told["datatype"], told["shape"]) == (datatype, [2, 2])
    assert np.array_equal(np.array(told["data"]).astype(array.dtype), array.ravel())
    assert raw == array.astype(array.dtype.newbyteorder("<")).tobytes()
    assert head["outputs"][0]["datatype"] == datatype


# Compressed.


def large(gateway: PretendedGateway, numbers: int) -> bytes:
    """The plain answer, of so many numbers."""
    gateway.dispatcher.outcome = answer_with({"y": np.zeros((1, numbers), np.float32)})
    return infer(ROW).content


def compressed(accepts: str, **asks: Any) -> Answered:
    return send(json.dumps({"inputs": [ROW], **asks}).encode(), headers={"Accept-Encoding": accepts})


@pytest.mark.parametrize("accepts", ["gzip", "deflate", "gzip, deflate, br", "br, GZIP;q=0.5", "deflate , x;q=1"])
@pytest.mark.parametrize("numbers", [COMPRESSED_FROM, SMALL_BYTES])
def test_a_large_answer_is_compressed_for_who_takes_that(accepts: str, numbers: int, gateway: PretendedGateway) -> None:
    plain = large(gateway, numbers)
    response = compressed(accepts)

    coding = response.headers["Content-Encoding"]
    assert coding == ("gzip" if "gzip" in accepts.lower() else "deflate")
    assert (gzip.decompress if coding == "gzip" else zlib.decompress)(response.content) == plain
    assert len(response.content) < len(plain) / 10


@pytest.mark.parametrize("accepts", ["", "identity", "br", "*", "gzipped", "gzip;q=0", "deflate; q=0.000", "x-gzip"])
def test_for_others_it_is_not(accepts: str, gateway: PretendedGateway) -> None:
    plain = large(gateway, COMPRESSED_FROM)
    response = compressed(accepts)

    assert "Content-Encoding" not in response.headers
    assert response.content == plain


def test_a_small_one_is_not() -> None:
    assert "Content-Encoding" not in compressed("gzip").headers


def test_the_header_of_binary_outputs_counts_before_compression(gateway: PretendedGateway) -> None:
    large(gateway, COMPRESSED_FROM)
    response = compressed("gzip", parameters={"binary_data_output": True})

    content, size = gzip.decompress(response.content), int(response.headers[HEAD_SIZE])
    assert json.loads(content[:size])["outputs"][0]["parameters"] == {"binary_data_size": 4 * COMPRESSED_FROM}
    assert content[size:] == b"\0" * 4 * COMPRESSED_FROM
