"""tritonclient over HTTP asks for predictions in all ways that it has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.end_to_end.clients.networks import answers, simple, words
from tests.support.clients import PROGRAMS, RefusedError, RemoteClient, run_client

FIRST = [list(range(16)), [7] * 16]
SECOND = [[1] * 16, list(range(0, 160, 10))]
TEXTS = [["green"], ["übergrün"], ["unheard of"], ["red"]]


def whole(rows: Any, **more: Any) -> dict[str, Any]:
    return {"datatype": "INT32", "dtype": "int32", "data": rows, **more}


def texts(rows: Any, **more: Any) -> dict[str, Any]:
    return {"datatype": "BYTES", "dtype": "object", "data": rows, **more}


def both(binary: bool = True) -> dict[str, Any]:
    return {"INPUT0": whole(FIRST, binary=binary), "INPUT1": whole(SECOND, binary=binary)}


def expected() -> dict[str, Any]:
    return {
        name: {"dtype": "int32", "shape": [2, 16], "data": each.tolist()}
        for name, each in answers(simple(), INPUT0=np.int32(FIRST), INPUT1=np.int32(SECOND)).items()
    }


def test_tritons_own_example_passes(address: str, triton: RemoteClient) -> None:
    done = run_client("python", PROGRAMS / "simple_http_infer_client.py", address)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("PASS: infer\n")


@pytest.mark.parametrize("binary_outputs", [True, False, None])
@pytest.mark.parametrize("binary_inputs", [True, False])
def test_tensors_go_as_bytes_and_as_json(
    binary_inputs: bool, binary_outputs: bool | None, triton: RemoteClient
) -> None:
    outputs = None
    if binary_outputs is not None:
        outputs = {name: {"binary_data": binary_outputs} for name in ("OUTPUT0", "OUTPUT1")}

    got = triton("infer", "simple", both(binary_inputs), outputs)

    assert got["outputs"] == expected()
    told = got["response"]["outputs"]
    assert [each["datatype"] for each in told] == ["INT32", "INT32"]
    # Without a word on outputs this client asks for bytes.
    assert {"data" in each for each in told} == {binary_outputs is False}


def test_each_output_comes_as_it_is_asked_for_and_those_that_are_not_do_not_come(triton: RemoteClient) -> None:
    mixed = triton("infer", "simple", both(), {"OUTPUT1": {"binary_data": False}, "OUTPUT0": {"binary_data": True}})
    assert mixed["outputs"] == expected()
    assert [each["name"] for each in mixed["response"]["outputs"] if "data" in each] == ["OUTPUT1"]

    one = triton("infer", "simple", both(), {"OUTPUT1": {}})
    assert one["outputs"] == {"OUTPUT1": expected()["OUTPUT1"]}


def test_a_requests_id_and_the_version_come_back(triton: RemoteClient) -> None:
    response = triton("infer", "simple", both(), request_id="my request")["response"]
    assert (response["id"], response["model_name"], response["model_version"]) == ("my request", "simple", "1")
    assert "id" not in triton("infer", "simple", both())["response"]
    assert triton("infer", "simple", both(), model_version="1")["outputs"] == expected()


@pytest.mark.parametrize("binary", [True, False])
def test_texts_go_and_come(binary: bool, triton: RemoteClient) -> None:
    outputs = {name: {"binary_data": binary} for name in ("number", "again")}

    got = triton("infer", "words", {"word": texts(TEXTS, binary=binary)}, outputs)["outputs"]

    wanted = answers(words(), word=TEXTS)
    assert got["number"] == {"dtype": "int64", "shape": [4, 1], "data": wanted["number"].tolist()}
    decoded = [[each.decode()] for each in wanted["again"].ravel()]
    # As bytes they are bytes to this client, in JSON they are texts.
    assert got["again"]["data"] == [[("b:" if binary else "") + text] for (text,) in decoded]


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("answered", ["gzip", "deflate", None])
@pytest.mark.parametrize("asked", ["gzip", "deflate", None])
def test_requests_and_answers_are_compressed(
    asked: str | None, answered: str | None, binary: bool, triton: RemoteClient
) -> None:
    rows = np.arange(16 * 200, dtype=np.int32).reshape(200, 16)
    inputs = {"INPUT0": whole(rows.tolist(), binary=binary), "INPUT1": whole(rows[::-1].tolist(), binary=binary)}
    outputs = {name: {"binary_data": binary} for name in ("OUTPUT0", "OUTPUT1")}

    got = triton(
        "infer", "simple", inputs, outputs,
        request_compression_algorithm=asked, response_compression_algorithm=answered,
    )["outputs"]  # fmt: skip

    wanted = answers(simple(), INPUT0=rows, INPUT1=rows[::-1])
    assert {name: each["data"] for name, each in got.items()} == {name: each.tolist() for name, each in wanted.items()}


def test_a_timeout_in_microseconds_and_a_priority_are_taken(triton: RemoteClient) -> None:
    assert triton("infer", "simple", both(), timeout=20_000_000, priority=1)["outputs"] == expected()


@pytest.mark.parametrize(
    ("network", "inputs", "outputs", "options", "status", "says"),
    [
        ("nobody", both(), None, {}, 404, "nobody"),
        ("simple", both(), None, {"model_version": "7"}, 404, "7"),
        ("simple", {"INPUT0": whole(FIRST)}, None, {}, 400, "INPUT1"),
        ("simple", both() | {"INPUT2": whole(FIRST)}, None, {}, 400, "INPUT"),
        ("simple", both(), {"OUTPUT2": {}}, {}, 400, "OUTPUT2"),
        ("simple", {"INPUT0": whole([[1]]), "INPUT1": whole([[1]])}, None, {}, 400, "INPUT0"),
        ("simple", both(), None, {"sequence_id": 5, "sequence_start": True}, 400, "sequence_id"),
        ("simple", both(), {"OUTPUT0": {"class_count": 2}}, {}, 400, "classification"),
        ("simple", {"INPUT0": texts([["a"] * 16]), "INPUT1": whole([[1] * 16])}, None, {}, 400, "INPUT0"),
    ],
)
def test_what_is_wrong_is_raised_with_its_status(
    network: str, inputs: Any, outputs: Any, options: Any, status: int, says: str, triton: RemoteClient
) -> None:
    with pytest.raises(RefusedError, match=says) as refused:
        triton("infer", network, inputs, outputs, **options)
    assert refused.value.kind == "InferenceServerException"
    assert refused.value.status == str(status)
