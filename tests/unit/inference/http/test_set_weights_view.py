"""PUT /set_weights with the switch behind it replaced: what is uploaded, and what is told of it."""

from __future__ import annotations

import base64
import gzip
import zlib
from random import Random
from typing import IO, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from pytest_django.fixtures import Settings

from inference.errors import AlreadyActiveError, BadInputError, BrokerUnavailableError, DiskFullError, NoWorkersError
from inference.http.bodies.upload_files import IN_MEMORY_BYTES
from inference.models import Activation, Network, Version
from inference.versions.switch import SwitchResult, VersionSwitch
from tests.support.archives import archive
from tests.unit.asking import ask
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import NN_ID, failed, loaded
from workers.messages.arrays import to_arrays
from workers.messages.terms import NO_TERMS, Terms

OCTETS = "application/octet-stream"
NPZ = archive({"kernel.npy": b"\x93NUMPY"})


class Switches:
    """Stands in for `set_weights`: notes what is uploaded, answers what it is told to."""

    def __init__(self) -> None:
        self.uploads: list[tuple[str, str, bytes, str]] = []
        self.outcome: Any = [loaded("w1")]
        self.only_first: bool | None = None
        self.terms: Terms | None = None

    def __call__(
        self, nn_id: str, file_name: str, weights: IO[bytes], requested_by: str, only_first: bool, terms: Terms
    ) -> SwitchResult:
        weights.seek(0)
        self.only_first, self.terms = only_first, terms
        self.uploads.append((nn_id, file_name, weights.read(), requested_by))
        if isinstance(self.outcome, Exception):
            raise self.outcome
        network = Network(nn_id=nn_id)
        version, previous = Version(network=network, number=4), Version(network=network, number=3)
        asked = len(self.outcome)
        activation = Activation(version=version, previous=previous, workers_asked=asked, workers_answered=asked)
        return SwitchResult(activation, self.outcome)


@pytest.fixture
def switches(monkeypatch: pytest.MonkeyPatch) -> Switches:
    switches = Switches()
    monkeypatch.setattr(VersionSwitch, "set_weights", switches)
    return switches


def put(client: Client, headers: dict[str, str] | None = None, **fields: Any) -> Any:
    given = {"nn_id": NN_ID, "data": SimpleUploadedFile("w.b64", b"QUJD\n", OCTETS), **fields}
    form = encode_multipart(BOUNDARY, {name: value for name, value in given.items() if value is not None})
    return client.put("/set_weights", form, content_type=MULTIPART_CONTENT, headers=headers)


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


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"nn_id": "x"}', "application/json"),
        (b"[]", "application/json"),
        (b"nonsense", "application/json"),
        (b"", ""),
        (b"nonsense", "multipart/form-data"),
        (b"nonsense", "multipart/form-data; boundary=x"),
        (b"nn_id=x", "application/x-www-form-urlencoded"),
    ],
)
def test_an_upload_that_is_no_form_is_400(body: bytes, content_type: str, client: Client, switches: Switches) -> None:
    response = client.put("/set_weights", body, content_type=content_type)

    assert (response.status_code, response.json()["status"]) == (400, False)


LARGE = 3 * IN_MEMORY_BYTES


def form_of(content: bytes) -> bytes:
    """An upload's body."""
    return encode_multipart(BOUNDARY, {"nn_id": NN_ID, "data": SimpleUploadedFile("w.h5", content, OCTETS)})


@pytest.mark.parametrize("kept", [1, 10, 200, 2 * IN_MEMORY_BYTES, LARGE])
@pytest.mark.parametrize("says_its_length", [True, False])
def test_an_upload_that_ends_early_is_refused_and_stored_nowhere(
    kept: int, says_its_length: bool, gateway: PretendedGateway, switches: Switches
) -> None:
    body = form_of(b"7" * LARGE)
    headers = {"Content-Type": MULTIPART_CONTENT, **({"Content-Length": str(len(body))} if says_its_length else {})}

    pieces = [*split(body[:kept]), b""]
    response = ask("/set_weights", method="PUT", pieces=pieces, headers=headers, fault=BadInputError("it broke off"))

    assert response.status_code == 400
    missing = len(body) - kept
    says = f"the body broke off: {missing} bytes are missing" if says_its_length else "it broke off"
    assert response.json() == {"status": False, "message": says}
    assert switches.uploads == []


def split(content: bytes) -> list[bytes]:
    """As it comes from a socket."""
    return [content[at : at + 60_000] for at in range(0, len(content), 60_000)]


@pytest.mark.parametrize("size", [10, LARGE])
@pytest.mark.parametrize("coding", ["", "gzip", "deflate"])
@pytest.mark.parametrize("says_its_length", [True, False])
def test_an_upload_is_taken_however_it_comes(
    size: int, coding: str, says_its_length: bool, gateway: PretendedGateway, switches: Switches
) -> None:
    content = b"\x89HDF\r\n\x1a\n" + Random(1).randbytes(size // 2) + bytes(size // 2)
    form = form_of(content)
    body = {"": form, "gzip": gzip.compress(form), "deflate": zlib.compress(form)}[coding]
    headers = {"Content-Type": MULTIPART_CONTENT}
    if coding:
        headers["Content-Encoding"] = coding
    if says_its_length:
        headers["Content-Length"] = str(len(body))

    response = ask("/set_weights", method="PUT", pieces=split(body), headers=headers)

    assert response.status_code == 200
    assert switches.uploads == [(NN_ID, "w.h5", content, "127.0.0.1")]


def test_one_that_stands_for_more_than_may_be_uploaded_is_413(
    gateway: PretendedGateway, switches: Switches, settings: Settings
) -> None:
    settings.PIPELINE_MAX_UPLOAD_BYTES = LARGE
    body = gzip.compress(form_of(bytes(10 * LARGE)))
    headers = {"Content-Type": MULTIPART_CONTENT, "Content-Encoding": "gzip"}

    response = ask("/set_weights", body, method="PUT", headers=headers)

    assert response.status_code == 413
    assert f"more than the {LARGE} bytes" in response.json()["message"]
    assert switches.uploads == []


def test_an_upload_over_the_limit_is_413(client: Client, switches: Switches, settings: Settings) -> None:
    settings.PIPELINE_MAX_UPLOAD_BYTES = 10

    assert put(client).status_code == 413
    assert switches.uploads == []


@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded"])
def test_what_is_no_file_has_the_limit_of_other_bodies(
    content_type: str, client: Client, switches: Switches, settings: Settings
) -> None:
    settings.PIPELINE_MAX_BODY_BYTES = 10

    assert client.put("/set_weights", b"x" * 11, content_type=content_type).status_code == 413


def test_a_field_that_is_no_file_has_it_too(client: Client, switches: Switches, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

    response = put(client, data="A" * 1000)

    assert (response.status_code, response.json()["status"]) == (413, False)
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
