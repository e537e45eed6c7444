"""Everything a client can get wrong is answered with a clear JSON error, and harms nothing that is served."""

from __future__ import annotations

import base64
import io
import socket
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np
import pytest
import requests

from tests.support.samples import samples
from tests.support.system import System

NN_ID = "0123456789abcdef0123456789abcdef"
OCTETS = "application/octet-stream"
MAX_UPLOAD_BYTES = 1_000_000


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The embedded service with the first sample network, and a small upload limit."""
    system = System(
        tmp_path_factory.mktemp("service"),
        broker_url="",
        PIPELINE_MAX_UPLOAD_BYTES=str(MAX_UPLOAD_BYTES),
        PIPELINE_LOAD_TIMEOUT="30",
    )
    try:
        yield system.start(workers=0, embedded=True).load_first_sample()
    finally:
        system.stop()


def post(service: System, body: bytes | str) -> requests.Response:
    return requests.post(service.url + "/predict", data=body, headers={"Content-Type": "application/json"}, timeout=60)


def put(service: System, fields: dict[str, Any], files: dict[str, Any]) -> requests.Response:
    return requests.put(service.url + "/set_weights", data=fields, files=files, timeout=60)


def upload(service: System, content: bytes) -> requests.Response:
    return put(service, {"nn_id": NN_ID}, {"data": ("weights.b64", base64.b64encode(content), OCTETS)})


def assert_refused(response: requests.Response, status: int, says: str) -> None:
    answer = response.json()
    assert response.status_code == status, answer
    assert answer["status"] is False
    assert says in answer["message"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("", "no JSON"),
        ("not json", "no JSON"),
        ('{"vector": [0.1, 0.2]', "no JSON"),
        ('{"vector": [NaN, 0.2]}', "no JSON"),
        ('{"vector": [Infinity, 0.2]}', "no JSON"),
        ("[" * 100_000, "no JSON"),
        (b"\xff\xfe", "no JSON"),
        ("[0.1, 0.2]", "must be an object"),
        ("null", "must be an object"),
        ("{}", "either"),
        ('{"rows": [0.1, 0.2]}', "either"),
        ('{"vector": [0.1, 0.2], "data": [[0.1, 0.2]]}', "either"),
        ('{"vector": []}', "at least one"),
        ('{"vector": "0.1"}', "list of numbers"),
        ('{"vector": null}', "list of numbers"),
        ('{"vector": {}}', "inputs"),
        ('{"vector": ["0.1", 0.2]}', "numbers only"),
        ('{"vector": [0.1, null]}', "numbers only"),
        ('{"vector": [true, 0.2]}', "numbers only"),
        ('{"vector": [0.1, [0.2]]}', "same length"),
        ('{"vector": [9007199254740993, 0.5]}', "64 can hold"),
        ('{"vector": [0.1, 0.2], "nn_id": "mine, mine"}', "nn_id must be a network's id, 32"),
        ('{"vector": [0.1, 0.2], "version": true}', "version must be"),
        ('{"data": 0.1}', "list of rows"),
        ('{"data": {"a": [1, 2], "b": [1]}}', "same number of rows"),
        ('{"data": [[0.1, 0.2], [0.3]]}', "same length"),
        ('{"data": [[], []]}', "numbers"),
    ],
)
def test_a_malformed_prediction_is_refused(service: System, body: bytes | str, says: str) -> None:
    assert_refused(post(service, body), 400, says)


def test_a_number_beyond_float64_is_refused(service: System) -> None:
    assert post(service, '{"vector": [1e400, 0.2]}').status_code == 400


def test_ten_million_numbers_are_refused_with_413(service: System) -> None:
    body = b'{"vector": [' + b"1," * 9_999_999 + b"1]}"
    assert_refused(post(service, body), 413, "this gateway takes")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('{"vector": [0.1, 0.2, 0.3]}', "takes rows of shape (2,), got (3,)"),
        ('{"vector": [[0.1, 0.2]]}', "takes rows of shape (2,), got (1, 2)"),
        ('{"data": [0.1, 0.2]}', "takes rows of shape (2,), got ()"),
        ('{"vector": [0.1, 1e39]}', "too large for float32"),
        ('{"vector": [true, false]}', "takes float32, got bool"),
        ('{"vector": {"no such input": [0.1, 0.2]}}', "the network's inputs are"),
    ],
)
def test_rows_that_are_none_of_the_networks_are_its_to_refuse_with_its_trace(
    service: System, body: str, says: str
) -> None:
    answer = post(service, body)
    told = answer.json()
    assert (answer.status_code, told["status"], told["result"]) == (200, False, 0.0)
    assert says in base64.b64decode(told["message"]).decode()


def test_a_network_or_version_that_is_not_there_is_refused_with_404(service: System) -> None:
    unknown = "f" * 32
    assert_refused(post(service, f'{{"vector": [0.1, 0.2], "nn_id": "{unknown}"}}'), 404, "GET /networks")
    assert_refused(post(service, '{"vector": [0.1, 0.2], "version": 1000000}'), 404, "has no version 1000000")


def test_json_that_curl_calls_a_form_is_read(service: System) -> None:
    response = requests.post(
        service.url + "/predict",
        data='{"vector": [0.1, 0.2]}',
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        timeout=60,
    )
    assert response.json()["status"] is True


@pytest.mark.parametrize("nn_id", [None, "", "0123", NN_ID.upper(), NN_ID + "0", NN_ID[:-1] + "g", NN_ID + "\n"])
def test_a_name_that_is_not_32_lower_case_hex_digits_is_refused(service: System, nn_id: str | None) -> None:
    fields = {} if nn_id is None else {"nn_id": nn_id}
    assert_refused(put(service, fields, {"data": ("w.b64", b"AAAA", OCTETS)}), 400, "nn_id")


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (("w.b64", b"AAAA", "text/plain"), OCTETS),
        (("w.b64", b"no base64!", OCTETS), "not base64"),
        (("w.b64", b"AAA", OCTETS), "not base64"),
        (("w.b64", b"", OCTETS), "empty"),
        (("w.b64", b"\n\n", OCTETS), "empty"),
    ],
)
def test_data_that_is_no_base64_file_is_refused(service: System, file: tuple[Any, ...], says: str) -> None:
    response = put(service, {"nn_id": NN_ID}, {"data": file})
    assert_refused(response, 400, "data")
    assert says in response.json()["message"]


def test_an_upload_without_data_is_refused(service: System) -> None:
    assert_refused(put(service, {"nn_id": NN_ID}, {"other": ("w", b"AAAA", OCTETS)}), 400, "data")


def test_data_in_a_text_field_is_refused(service: System) -> None:
    assert_refused(put(service, {"nn_id": NN_ID, "data": "AAAA"}, {"other": ("w", b"AAAA", OCTETS)}), 400, "data")


def test_an_upload_that_is_no_form_is_refused(service: System) -> None:
    response = requests.put(service.url + "/set_weights", json={"nn_id": NN_ID}, timeout=60)
    assert_refused(response, 400, "data")


def test_a_broken_multipart_body_is_refused(service: System) -> None:
    response = requests.put(
        service.url + "/set_weights",
        data=b"--x\r\nbroken",
        headers={"Content-Type": "multipart/form-data; boundary=x"},
        timeout=60,
    )
    assert_refused(response, 400, "")


def test_an_upload_over_the_limit_is_refused_with_413(service: System) -> None:
    assert_refused(upload(service, bytes(MAX_UPLOAD_BYTES)), 413, "this gateway takes")


def weights(**replaced: Any) -> bytes:
    """The first sample's weights with some arrays replaced, by their path."""
    file = io.BytesIO(base64.b64decode(samples()[0].file.read_bytes()))
    with h5py.File(file, "r+") as opened:
        for path, value in replaced.items():
            del opened[path]
            opened[path] = value
    return file.getvalue()


def good() -> bytes:
    return base64.b64decode(samples()[0].file.read_bytes())


BAD_WEIGHTS = {
    "truncated": lambda: good()[: len(good()) // 2],
    "no HDF5": lambda: b"these are no weights",
    "another shape": lambda: weights(**{"layers/dense/vars/0": np.zeros((2, 10), np.float32)}),
    "NaN": lambda: weights(**{"layers/dense/vars/1": np.full(20, np.nan, np.float32)}),
    "infinite": lambda: weights(**{"layers/dense/vars/1": np.full(20, np.inf, np.float32)}),
    "text": lambda: weights(**{"layers/dense/vars/1": "twenty numbers"}),
    "an array too many": lambda: weights_with_more(),
}


def weights_with_more() -> bytes:
    file = io.BytesIO(good())
    with h5py.File(file, "r+") as opened:
        opened["layers/dense/vars/2"] = np.zeros(20, np.float32)
    return file.getvalue()


@pytest.mark.parametrize("kind", BAD_WEIGHTS)
def test_bad_weights_are_reported_and_leave_what_is_served_untouched(service: System, kind: str) -> None:
    before = service.client.predict([0.3, 0.7])
    response = upload(service, BAD_WEIGHTS[kind]())
    answer = response.json()
    assert (response.status_code, answer["status"], answer["workers_count"]) == (200, False, 1)
    assert answer["message"] == "One or more workers were failed with weights loading"
    assert [worker["result"] for worker in answer["workers"]] == [False]
    assert "WeightsError" in base64.b64decode(answer["workers"][0]["trace"]).decode()
    assert service.client.predict([0.3, 0.7]) == before
    assert service.client.status()["workers"][0]["nn_id"] == samples()[0].nn_id


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/predict", "POST"),
        ("PUT", "/predict", "POST"),
        ("POST", "/set_weights", "PUT"),
        ("POST", "/status", "GET"),
    ],
)
def test_a_wrong_method_is_answered_405(service: System, method: str, path: str, allowed: str) -> None:
    response = requests.request(method, service.url + path, timeout=60)
    assert_refused(response, 405, "not allowed")
    assert allowed in response.headers["Allow"]


def test_a_web_page_of_another_site_changes_nothing(service: System) -> None:
    nn_id, headers = samples()[0].nn_id, {"Origin": "http://localhost:3000", "Content-Type": "text/plain"}
    before = service.client.network(nn_id)
    for path, body in (("activate", '{"version": 1}'), ("rollback", "")):
        response = requests.post(f"{service.url}/networks/{nn_id}/{path}", body, headers=headers, timeout=60)
        assert_refused(response, 403, "another site (http://localhost:3000)")
    assert service.client.network(nn_id) == before
    own = requests.post(
        service.url + "/predict", b'{"vector": [0.1, 0.2]}', headers={"Origin": service.url}, timeout=60
    )
    assert own.json()["status"] is True


@pytest.mark.parametrize("path", ["/predict/", "/nothing", "/status/1"])
def test_an_unknown_path_is_answered_404(service: System, path: str) -> None:
    assert_refused(requests.post(service.url + path, timeout=60), 404, "not found")


def test_a_body_that_never_comes_does_not_stall_others(service: System) -> None:
    """A client that promises a body and sends none holds one thread, not the service."""
    host, port = service.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as silent:
        silent.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert service.client.predict([0.3, 0.7])["status"] is True
