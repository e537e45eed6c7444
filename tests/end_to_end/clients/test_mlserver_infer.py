"""`mlserver infer` works through a file of requests, a line of JSON each."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests

from tests.end_to_end.clients.networks import answers, simple, words
from tests.support.clients import run_client
from tests.support.samples import samples

REQUESTS = 10


pytestmark = pytest.mark.skipif(sys.version_info >= (3, 13), reason="MLServer 1.7.1 is for Python 3.11 and 3.12")


def infer(
    address: str, network: str, asked: list[dict[str, Any]], folder: Path, *flags: str
) -> tuple[list[dict[str, Any]], subprocess.CompletedProcess[str]]:
    given, answered = folder / "requests.json", folder / "answers.json"
    given.write_text("\n".join(json.dumps(each) for each in asked))
    files = ("--input-data-path", given, "--output-data-path", answered)
    done = run_client("mlserver", "infer", "--url", address, "--model-name", network, *files, *flags)
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in answered.read_text().splitlines()]
    return sorted(told, key=lambda each: int(each["parameters"]["batch_index"])), done


def whole(number: int, count: int = 1) -> list[list[int]]:
    return [[number * 100 + row * 16 + column for column in range(16)] for row in range(count)]


def request_of(number: int) -> dict[str, Any]:
    count = number % 3 + 1
    tensors = {"INPUT0": whole(number, count), "INPUT1": whole(1, count)}
    inputs = [
        {"name": name, "shape": [count, 16], "datatype": "INT32", "data": np.ravel(rows).tolist()}
        for name, rows in tensors.items()
    ]
    return {"id": f"request {number}", "inputs": inputs}


@pytest.mark.parametrize("together", ["1", "4"])
@pytest.mark.parametrize("binary", [(), ("--binary-data",)])
def test_every_request_is_answered_as_by_keras(
    binary: tuple[str, ...], together: str, address: str, tmp_path: Path
) -> None:
    asked = [request_of(number) for number in range(REQUESTS)]

    told, _ = infer(address, "simple", asked, tmp_path, "--batch-size", together, "--workers", "3", *binary)

    assert [each["id"] for each in told] == [each["id"] for each in asked]
    for number, each in enumerate(told):
        count = number % 3 + 1
        wanted = answers(simple(), INPUT0=np.int32(whole(number, count)), INPUT1=np.int32(whole(1, count)))
        outputs = {output["name"]: output["data"] for output in each["outputs"]}
        assert outputs == {name: output.ravel().tolist() for name, output in wanted.items()}


def test_numbers_with_fractions_are_answered_as_by_keras(address: str, tmp_path: Path) -> None:
    rows = np.random.default_rng(3).random((REQUESTS, 2)).astype(np.float32)
    (name,) = (each["name"] for each in requests.get(f"http://{address}/v2/models/sum", timeout=30).json()["inputs"])
    inputs = [{"name": name, "shape": [1, 2], "datatype": "FP32", "data": row} for row in rows.tolist()]

    told, _ = infer(address, "sum", [{"inputs": [each]} for each in inputs], tmp_path, "--batch-size", "5")

    got = [each["outputs"][0]["data"][0] for each in told]
    np.testing.assert_allclose(got, samples()[0].answers(rows), rtol=1e-6)


@pytest.mark.parametrize("binary", [(), ("--binary-data",)])
def test_texts_are_answered_as_by_keras(binary: tuple[str, ...], address: str, tmp_path: Path) -> None:
    texts = ["green", "unheard of", "red"]
    asked = [
        {
            "inputs": [{"name": "word", "shape": [1, 1], "datatype": "BYTES", "data": [text]}],
            "outputs": [{"name": "number"}, {"name": "again"}],
        }
        for text in texts
    ]

    told, _ = infer(address, "words", asked, tmp_path, *binary)

    wanted = answers(words(), word=[[text] for text in texts])
    outputs = [{output["name"]: output["data"] for output in each["outputs"]} for each in told]
    assert [each["number"] for each in outputs] == wanted["number"].tolist()
    assert [each["again"] for each in outputs] == [[each.decode()] for each in wanted["again"].ravel()]


def test_what_is_wrong_is_told_in_its_line(address: str, tmp_path: Path) -> None:
    good, wrong = request_of(0), request_of(0)
    wrong["inputs"] = wrong["inputs"][:1]

    told, _ = infer(address, "simple", [good, wrong, good], tmp_path, "--retries", "1")

    assert "INPUT1" in told[1]["error"]["msg"]
    assert ["outputs" in each for each in told] == [True, False, True]
