"""POST /v1/models/M:predict: rows or columns in, predictions or outputs out."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import numpy as np
import pytest

from inference.http.bodies.request_body import SMALL_BYTES
from tests.unit.asking import Answered, ask
from tests.unit.inference.http.predicting import MANY, answer_of
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import answer_with
from workers.messages.arrays import to_arrays
from workers.messages.tensors import TENSORS_BYTES_MAX, TENSORS_MAX

ADDRESS = "/v1/models/iris:predict"


@pytest.fixture(autouse=True)
def answered(gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = answer_of([[0.75], [1.5]])


def predict(address: str = ADDRESS, **body: Any) -> Answered:
    return ask(address, json.dumps(body).encode())


def asked(gateway: PretendedGateway) -> dict[str, Any]:
    """The inputs of the only request that was handed on."""
    [(given, _)] = gateway.dispatcher.submitted
    return {name: array.tolist() for name, array in to_arrays(given.inputs).items()}


def refused(response: Answered, gateway: PretendedGateway, status: int = 400) -> str:
    """Why nothing was predicted."""
    assert response.status_code == status
    assert gateway.dispatcher.submitted == []
    assert response.json().keys() == {"error"}
    return str(response.json()["error"])


def b64(text: str | bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(text.encode() if isinstance(text, str) else text).decode()}


def test_instances_are_answered_row_by_row(gateway: PretendedGateway) -> None:
    response = predict(instances=[[0.5, 0.25], [1.0, 2.0]])

    assert (response.status_code, response.json()) == (200, {"predictions": [[0.75], [1.5]]})
    assert asked(gateway) == {"": [[0.5, 0.25], [1.0, 2.0]]}
    [(given, _)] = gateway.dispatcher.submitted
    assert (given.network, given.version, given.door, given.single) == ("iris", None, "v1", False)


def test_inputs_are_answered_output_by_output(gateway: PretendedGateway) -> None:
    response = predict(inputs=[[0.5, 0.25], [1.0, 2.0]])

    assert (response.status_code, response.json()) == (200, {"outputs": [[0.75], [1.5]]})
    assert asked(gateway) == {"": [[0.5, 0.25], [1.0, 2.0]]}


@pytest.mark.parametrize(
    ("address", "version"),
    [("iris", None), ("iris/versions/3", 3), ("iris/labels/stable", "stable"), ("iris/labels/3", "3")],
)
def test_an_address_may_name_a_version_or_a_label(
    address: str, version: int | str | None, gateway: PretendedGateway
) -> None:
    assert predict(f"/v1/models/{address}:predict", instances=[1.0, 2.0]).status_code == 200

    [(given, _)] = gateway.dispatcher.submitted
    assert (given.network, given.version) == ("iris", version)


@pytest.mark.parametrize(
    ("instances", "came"),
    [
        ([1, 2], {"": [1, 2]}),
        ([[[1, 2]], [[3, 4]]], {"": [[[1, 2]], [[3, 4]]]}),
        (["a", "ü"], {"": ["a", "ü"]}),
        ([[True], [False]], {"": [[True], [False]]}),
        ([2**60], {"": [2**60]}),
        ([{"a": 1, "b": [0.5]}, {"b": [0.25], "a": 2}], {"a": [1, 2], "b": [[0.5], [0.25]]}),
        ([{"a": 1}], {"a": [1]}),
        ([b64("ü"), b64("\0")], {"": ["ü", "\0"]}),
        ([[b64("a"), b64("")]], {"": [["a", ""]]}),
        ([{"word": b64("ü"), "n": 1}], {"word": ["ü"], "n": [1]}),
        ([{"words": [b64("a"), b64("b")]}], {"words": [["a", "b"]]}),
    ],
    ids=repr,
)
def test_instances_are_rows_alone_or_by_name(instances: Any, came: Any, gateway: PretendedGateway) -> None:
    assert predict(instances=instances).status_code == 200
    assert asked(gateway) == came


@pytest.mark.parametrize(
    ("inputs", "came"),
    [
        ([1, 2], {"": [1, 2]}),
        ({"a": [1, 2], "b": [[0.5], [0.25]]}, {"a": [1, 2], "b": [[0.5], [0.25]]}),
        ([b64("ü")], {"": ["ü"]}),
        ({"words": [[b64("a")], [b64("b")]]}, {"words": [["a"], ["b"]]}),
    ],
    ids=repr,
)
def test_inputs_are_a_column_or_columns_by_name(inputs: Any, came: Any, gateway: PretendedGateway) -> None:
    assert predict(inputs=inputs).status_code == 200
    assert asked(gateway) == came


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "must be a JSON object"),
        (b"{}", "either"),
        (b'{"instances": [1], "inputs": [1]}', "either"),
        (b'{"instances": []}', "instances must be a list of rows"),
        (b'{"instances": 7}', "instances must be a list of rows"),
        (b'{"instances": {"a": [1]}}', "instances must be a list of rows"),
        (b'{"instances": [[1], [1, 2]]}', "instances: all rows must have the same length"),
        (b'{"instances": [1, "a"]}', "instances must hold numbers only"),
        (b'{"instances": [[]]}', "at least one"),
        (b'{"instances": [null]}', "instances must hold numbers only"),
        (b'{"instances": [NaN]}', "no JSON"),
        (b'{"instances": [1e400]}', "no JSON"),
        (b'{"instances": [{"a": 1}, {"b": 1}]}', "the same inputs by name"),
        (b'{"instances": [{"a": 1}, {"a": 1, "b": 1}]}', "the same inputs by name"),
        (b'{"instances": [{"a": 1}, 1]}', "the same inputs by name"),
        (b'{"instances": [{}]}', f"1 to {TENSORS_MAX} inputs"),
        (b'{"instances": [{"a\\n": 1}]}', "no text that can be printed"),
        (b'{"instances": [[{"a": 1}]]}', '{"b64": "text in base64"}'),
        (b'{"instances": [{"a": {"c": 1}}]}', '{"b64": "text in base64"}'),
        (b'{"instances": [{"b64": "?"}]}', '{"b64": "text in base64"}'),
        (b'{"instances": [{"b64": "QQ"}]}', '{"b64": "text in base64"}'),
        ('{"instances": [{"b64": "é"}]}'.encode(), '{"b64": "text in base64"}'),
        (b'{"instances": [{"b64": 7}]}', '{"b64": "text in base64"}'),
        (b'{"instances": [{"b64": "/w=="}]}', "must be text in UTF-8"),
        (b'{"instances": ["a", {"b64": "QQ=="}]}', "instances must hold numbers only"),
        (b'{"inputs": 7}', "inputs must be a list of rows"),
        (b'{"inputs": {}}', f"1 to {TENSORS_MAX} inputs"),
        (b'{"inputs": {"a": 1}}', "inputs.a must be a list of rows"),
        (b'{"inputs": {"a": [1], "b": [1, 2]}}', "the same number of rows"),
        (b'{"inputs": {"b64": "QQ=="}}', "inputs must be a list of rows"),
        (b'{"instances": [1], "signature_name": "other"}', "there is no signature 'other'"),
        (b'{"instances": [1], "signature_name": 7}', "there is no signature 7"),
        (b'{"instances": [1], "signature_name": {}}', "there is no signature {}"),
        (b'{"instances": [1], "signature_name": null}', "there is no signature None"),
    ],
    ids=lambda body: repr(body)[:50],
)
@pytest.mark.parametrize("padded", [False, True], ids=["small", "large"])
def test_what_is_no_request_is_refused(body: bytes, why: str, padded: bool, gateway: PretendedGateway) -> None:
    assert why in refused(ask(ADDRESS, body + b" " * (SMALL_BYTES if padded else 0)), gateway)


def test_the_only_signature_may_be_named(gateway: PretendedGateway) -> None:
    for named in ("serving_default", ""):
        assert predict(instances=[1.0, 2.0], signature_name=named).status_code == 200


@pytest.mark.parametrize(
    "data", [[[0.5] * 9] * MANY, [["a"] * 9] * MANY, [[2**60] * 9] * MANY], ids=["floats", "texts", "large"]
)
@pytest.mark.parametrize("name", ["instances", "inputs"])
def test_a_large_body_is_read_as_a_small_one_is(name: str, data: Any, gateway: PretendedGateway) -> None:
    assert predict(**{name: data}).status_code == 200
    assert asked(gateway) == {"": data}


def test_so_is_one_by_names(gateway: PretendedGateway) -> None:
    rows = [{"a": [0.5, float(number)], "b": number} for number in range(SMALL_BYTES // 16)]

    assert predict(instances=rows).status_code == 200
    assert asked(gateway) == {"a": [row["a"] for row in rows], "b": [row["b"] for row in rows]}


def test_more_than_one_message_holds_is_413(gateway: PretendedGateway) -> None:
    body = b'{"instances": [%b]}' % b",".join([b"0.5"] * (TENSORS_BYTES_MAX // 8 + 1))

    assert "may be sent at once" in refused(ask(ADDRESS, body), gateway, 413)


def test_a_body_may_be_compressed(gateway: PretendedGateway) -> None:
    body = gzip.compress(b'{"instances": [0.5, 0.25]}')

    assert ask(ADDRESS, body, headers={"Content-Encoding": "gzip"}).status_code == 200
    assert asked(gateway) == {"": [0.5, 0.25]}


# Answers.


def test_several_outputs_are_told_by_name(gateway: PretendedGateway) -> None:
    outputs = {
        "class": np.array([["ü"], ["b"]], object),
        "half": np.array([0.1, 0.2], np.float16),
        "sum": np.array([[0.1, 1.5], [2.5, 3.5]], np.float32),
        "count": np.array([[2**60], [1]], np.int64),
    }
    gateway.dispatcher.outcome = answer_with(outputs, batch_rows=5)

    rows = predict(instances=[1, 2]).json()["predictions"]
    columns = predict(inputs=[1, 2]).json()["outputs"]

    halves = [float(str(np.float32(each))) for each in outputs["half"]]
    assert rows == [
        {"class": ["ü"], "half": halves[0], "sum": [0.1, 1.5], "count": [2**60]},
        {"class": ["b"], "half": halves[1], "sum": [2.5, 3.5], "count": [1]},
    ]
    assert columns == {
        "class": [["ü"], ["b"]],
        "half": halves,
        "sum": [[0.1, 1.5], [2.5, 3.5]],
        "count": [[2**60], [1]],
    }


@pytest.mark.parametrize(
    "output",
    [np.array(["a", "b"], object), np.array([True, False]), np.array([1, 2], np.uint8), np.array([[[0.5]], [[1.5]]])],
    ids=str,
)
def test_a_single_output_is_told_as_it_is(output: Any, gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = answer_with({"y": output}, batch_rows=3)

    assert predict(instances=[1, 2]).json() == {"predictions": output.tolist()}
    assert predict(inputs=[1, 2]).json() == {"outputs": output.tolist()}


def test_a_large_answer_is_told_as_a_small_one_is(gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = answer_of([[0.5] * MANY * 2])

    assert predict(instances=[1]).json() == {"predictions": [[0.5] * MANY * 2]}
