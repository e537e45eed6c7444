"""PUT /set_weights with the switch behind it replaced: what is uploaded, and what is told of it."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client

from inference.errors import AlreadyActiveError, BrokerUnavailableError, DiskFullError, NoWorkersError
from tests.support.archives import archive
from tests.unit.inference.http.uploading import OCTETS, Switches, put
from tests.unit.samples import NN_ID, failed, loaded
from workers.messages.arrays import to_arrays
from workers.messages.terms import NO_TERMS

NPZ = archive({"kernel.npy": b"\x93NUMPY"})
EXAMPLES = '{"data": [[0.25, 0.5], [1, 2]], "result": [0.75, 3], "tolerance": 0.5}'


@pytest.mark.parametrize("expect", [EXAMPLES, SimpleUploadedFile("e.json", EXAMPLES.encode())], ids=["text", "file"])
def test_what_is_said_beside_the_file_goes_with_it(expect: Any, client: Client, switches: Switches) -> None:
    assert put(client, order="first, second,last", expect=expect).status_code == 200

    assert switches.terms is not None
    assert switches.terms.order == ("first", "second", "last")
    expected = switches.terms.expected
    assert expected is not None
    assert to_arrays(expected.inputs)[""].tolist() == [[0.25, 0.5], [1, 2]]
    assert (to_arrays(expected.outputs)[""].tolist(), expected.tolerance) == ([0.75, 3], 0.5)


def test_a_file_of_which_nothing_is_said_has_no_terms(client: Client, switches: Switches) -> None:
    put(client, order=" ", expect="")
    assert switches.terms == NO_TERMS


def test_terms_that_cannot_be_read_are_told_and_nothing_is_stored(client: Client, switches: Switches) -> None:
    response = put(client, expect="[]")
    assert (response.status_code, switches.uploads) == (400, [])
    assert response.json()["message"].startswith("expect must be an object like")


def test_loaded_weights_are_told_worker_by_worker(client: Client, switches: Switches) -> None:
    switches.outcome = [loaded("w1"), loaded("w2")]

    response = put(client)

    assert response.status_code == 200
    assert response.json() == {
        "status": True,
        "message": "OK",
        "workers_count": 2,
        "workers": [{"result": True, "worker": "w1"}, {"result": True, "worker": "w2"}],
        "version": 4,
        "nn_id": NN_ID,
        "previous_version": 3,
        "workers_asked": 2,
        "workers_answered": 2,
    }
    assert switches.uploads == [(NN_ID, "w.b64", b"ABC", "127.0.0.1")]


@pytest.mark.parametrize(("headers", "only_first"), [({}, False), ({"If-None-Match": "*"}, True)])
def test_an_upload_may_ask_to_replace_nothing(
    headers: dict[str, str], only_first: bool, client: Client, switches: Switches
) -> None:
    assert put(client, headers).status_code == 200
    assert switches.only_first is only_first


def test_where_something_is_active_such_an_upload_is_refused_with_412(client: Client, switches: Switches) -> None:
    switches.outcome = AlreadyActiveError(f"network {NN_ID} is active already")

    response = put(client, {"If-None-Match": "*"})

    assert (response.status_code, response.json()["status"]) == (412, False)


@pytest.mark.parametrize("line", ["", "Content-Type: application/zip\r\n", "Content-Type: application/x-hdf5\r\n"])
def test_a_part_of_no_type_or_another_binary_one_is_taken(line: str, client: Client, switches: Switches) -> None:
    """Python's `requests` sends none with `files={"data": open(path, "rb")}`."""
    head = f'Content-Disposition: form-data; name="data"; filename="w"\r\n{line}\r\n'
    body = (
        f'--b\r\nContent-Disposition: form-data; name="nn_id"\r\n\r\n{NN_ID}\r\n--b\r\n{head}QUJD\r\n--b--\r\n'
    ).encode()

    response = client.put("/set_weights", body, "multipart/form-data; boundary=b")

    assert (response.status_code, switches.uploads[0][2]) == (200, b"ABC")


def test_another_condition_is_refused(client: Client, switches: Switches) -> None:
    response = put(client, {"If-None-Match": '"abc"'})

    assert response.status_code == 400
    assert "must be *" in response.json()["message"]
    assert switches.uploads == []


def test_weights_that_a_worker_refused_are_told_with_its_trace(client: Client, switches: Switches) -> None:
    switches.outcome = [loaded("w1"), failed("w2", "Traceback\nWeightsError: é")]

    body = put(client).json()

    assert (body["status"], body["message"]) == (False, "One or more workers were failed with weights loading")
    assert body["workers"][1] == {
        "result": False,
        "trace": base64.b64encode("Traceback\nWeightsError: é".encode()).decode(),
        "worker": "w2",
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"nn_id": None},
        {"nn_id": "abc"},
        {"nn_id": NN_ID.upper()},
        {"data": None},
        {"data": "QUJD"},
        {"data": SimpleUploadedFile("w.b64", b"QUJD", "text/plain")},
        {"data": SimpleUploadedFile("w.b64", b"not base64!", OCTETS)},
        {"data": SimpleUploadedFile("w.b64", b"", OCTETS)},
        {"data": SimpleUploadedFile("w.npz", NPZ, OCTETS)},
        {"data": SimpleUploadedFile("w.b64", base64.b64encode(NPZ), OCTETS)},
    ],
    ids=[
        "no id",
        "short id",
        "upper id",
        "no data",
        "text field",
        "text",
        "not base64",
        "empty",
        "npz",
        "npz as base64",
    ],
)
def test_an_upload_that_cannot_be_stored_is_400(fields: Any, client: Client, switches: Switches) -> None:
    response = put(client, **fields)

    assert response.status_code == 400
    assert response.json()["status"] is False
    assert response.json()["message"]
    assert switches.uploads == []


def test_a_disk_without_room_is_507(client: Client, switches: Switches) -> None:
    switches.outcome = DiskFullError("the disk is full")

    response = put(client)

    assert (response.status_code, response.json()) == (507, {"status": False, "message": "the disk is full"})


@pytest.mark.parametrize("error", [NoWorkersError("none"), BrokerUnavailableError("gone"), OperationalError("gone")])
def test_an_upload_that_reaches_nobody_is_503(error: Exception, client: Client, switches: Switches) -> None:
    switches.outcome = error

    response = put(client)

    assert (response.status_code, response.json()["status"]) == (503, False)
