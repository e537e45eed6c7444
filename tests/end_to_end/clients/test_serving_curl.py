"""The curl lines of TensorFlow Serving's documentation, with no word on what the body is."""

from __future__ import annotations

import json
import subprocess
from base64 import b64encode
from typing import Any

import numpy as np
import pytest
import requests

from tests.end_to_end.clients.networks import answers, archive, doubled, simple, upload, words
from tests.support.samples import samples
from tests.support.system import System

TWO_INPUTS = [{"INPUT0": [number] * 16, "INPUT1": list(range(16))} for number in range(3)]


def curl(system: System, path: str, *flags: str, data: Any = None) -> tuple[int, Any]:
    """The status and the JSON of an answer, by the command line."""
    body = [] if data is None else ["-d", data if isinstance(data, str) else json.dumps(data)]
    command = ["curl", "-s", *flags, *body, "-w", "\n%{http_code}", "--compressed", system.url + path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    answer, status = done.stdout.rsplit("\n", 1)
    return int(status), json.loads(answer)


def test_rows_are_answered_row_by_row(system: System) -> None:
    rows = [[0.3, 0.7], [0.1, 0.2], [1, 2]]
    status, answer = curl(system, "/v1/models/sum:predict", data={"instances": rows})
    assert (status, answer.keys()) == (200, {"predictions"})
    np.testing.assert_allclose(np.ravel(answer["predictions"]), samples()[0].answers(np.array(rows)), rtol=1e-6)

    status, answer = curl(system, "/v1/models/doubled:predict", "-X", "POST", data={"instances": [[1.0, 2.0, 5.0]]})
    assert (status, answer) == (200, {"predictions": [[2.0, 4.0, 10.0]]})


def test_columns_are_answered_as_columns(system: System) -> None:
    status, answer = curl(system, "/v1/models/doubled:predict", data={"inputs": [[1.0, 2.0, 5.0]]})
    assert (status, answer) == (200, {"outputs": [[2.0, 4.0, 10.0]]})

    columns = {name: [row[name] for row in TWO_INPUTS] for name in TWO_INPUTS[0]}
    status, answer = curl(system, "/v1/models/simple:predict", data={"inputs": columns})
    wanted = answers(simple(), **{name: np.int32(rows) for name, rows in columns.items()})
    assert (status, answer) == (200, {"outputs": {name: each.tolist() for name, each in wanted.items()}})


def test_rows_by_name_are_answered_by_name(system: System) -> None:
    status, answer = curl(
        system, "/v1/models/simple:predict", data={"signature_name": "serving_default", "instances": TWO_INPUTS}
    )
    columns = {name: np.int32([row[name] for row in TWO_INPUTS]) for name in TWO_INPUTS[0]}
    wanted = answers(simple(), **columns)
    rows = [{name: each[row].tolist() for name, each in wanted.items()} for row in range(len(TWO_INPUTS))]
    assert (status, answer) == (200, {"predictions": rows})


def test_texts_may_be_in_base64(system: System) -> None:
    texts = ["green", "übergrün", "unheard of"]
    wanted = answers(words(), word=[[text] for text in texts])
    rows = [
        {"number": number, "again": [again.decode()]}
        for number, (again,) in zip(wanted["number"].tolist(), wanted["again"], strict=True)
    ]
    in_base64 = [[{"b64": b64encode(text.encode()).decode()}] for text in texts]
    for each in (in_base64, [[text] for text in texts]):
        assert curl(system, "/v1/models/words:predict", data={"instances": each}) == (200, {"predictions": rows})
    by_name = [{"word": each} for each in in_base64]
    assert curl(system, "/v1/models/words:predict", data={"instances": by_name}) == (200, {"predictions": rows})


def test_status_and_metadata_are_told(system: System) -> None:
    status, told = curl(system, "/v1/models/simple")
    available = {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    assert (status, told["model_version_status"]) == (200, [available])
    assert curl(system, "/v1/models/simple/versions/1")[1]["model_version_status"] == [available]

    status, told = curl(system, "/v1/models/simple/metadata")
    assert told["model_spec"] == {"name": "simple", "signature_name": "", "version": "1"}
    signature = told["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert signature["method_name"] == "tensorflow/serving/predict"
    assert signature["inputs"].keys() == {"INPUT0", "INPUT1"}
    shape = signature["outputs"]["OUTPUT1"]["tensor_shape"]
    assert (signature["outputs"]["OUTPUT1"]["dtype"], [each["size"] for each in shape["dim"]]) == (
        "DT_INT32",
        ["-1", "16"],
    )


def test_versions_are_asked_by_number_and_by_label(system: System) -> None:
    for factor in (3.0, 5.0):
        upload(system, "canary", archive(doubled(factor)))
    labelled = requests.put(f"{system.url}/networks/canary/labels/stable", json={"version": 1}, timeout=30)
    assert labelled.status_code == 200, labelled.text

    for where, factor in [("", 5.0), ("/versions/1", 3.0), ("/versions/2", 5.0), ("/labels/stable", 3.0)]:
        asked = curl(system, f"/v1/models/canary{where}:predict", data={"instances": [[1.0, 1.0, 2.0]]})
        assert asked == (200, {"predictions": [[factor, factor, 2 * factor]]})
    assert curl(system, "/v1/models/canary/labels/stable")[1]["model_version_status"][0]["version"] == "1"
    assert curl(system, "/v1/models/canary/labels/stable/metadata")[1]["model_spec"]["version"] == "1"
    assert curl(system, "/v1/models/canary/labels/other:predict", data={"instances": [[1.0, 1.0, 2.0]]})[0] == 404


@pytest.mark.parametrize(
    ("path", "data", "status"),
    [
        ("/v1/models/nobody:predict", {"instances": [[1.0]]}, 404),
        ("/v1/models/nobody", None, 404),
        ("/v1/models/nobody/metadata", None, 404),
        ("/v1/models/simple/versions/9", None, 404),
        ("/v1/models/sum:classify", {"examples": [{"x": 1.0}]}, 404),
        ("/v1/models/sum:predict", "not JSON", 400),
        ("/v1/models/sum:predict", {}, 400),
        ("/v1/models/sum:predict", {"instances": [[1, 2]], "inputs": [[1, 2]]}, 400),
        ("/v1/models/sum:predict", {"instances": []}, 400),
        ("/v1/models/sum:predict", {"instances": [[1, 2], [3]]}, 400),
        ("/v1/models/sum:predict", {"instances": [[1, 2, 3]]}, 400),
        ("/v1/models/sum:predict", {"instances": [["a", "b"]]}, 400),
        ("/v1/models/sum:predict", {"signature_name": "other", "instances": [[1, 2]]}, 400),
        ("/v1/models/simple:predict", {"instances": [{"INPUT0": [1] * 16}]}, 400),
        ("/v1/models/words:predict", {"instances": [[{"b64": "?"}]]}, 400),
    ],
)
def test_what_is_wrong_is_told_as_serving_tells_it(path: str, data: Any, status: int, system: System) -> None:
    told, answer = curl(system, path, data=data)
    assert (told, list(answer)) == (status, ["error"])
    assert isinstance(answer["error"], str)
