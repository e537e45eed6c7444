"""PUT /set_weights with the switch behind it replaced: bodies that break off, are packed, too large, or no form."""

from __future__ import annotations

import gzip
import zlib
from random import Random

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from pytest_django.fixtures import Settings

from inference.errors import BadInputError
from inference.http.bodies.upload_files import IN_MEMORY_BYTES
from tests.unit.asking import ask
from tests.unit.inference.http.uploading import OCTETS, Switches, put
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import NN_ID


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
