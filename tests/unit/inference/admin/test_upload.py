"""The page that takes weights: as a plain form, step by step for our script, and what it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from inference.errors import BadInputError, ClientTimeoutError
from inference.http.bodies.request_body import SMALL_BYTES
from inference.models import Activation, Version
from inference.versions import services
from tests.unit.admin_samples import JSON, NETWORK, UPLOAD, form, text
from tests.unit.asking import Answered, ask
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import NN_ID, active_number

pytestmark = pytest.mark.django_db


def test_weights_are_uploaded_as_a_plain_form(operator: Client, workers: PretendedGateway) -> None:
    response = operator.post(UPLOAD, form(), follow=True)

    version = Version.objects.get()
    assert "Version 1 is active: 2 workers loaded it." in response.content.decode()
    assert (version.file_name, version.state, active_number()) == ("new.weights.h5", "loaded", 1)
    assert Activation.objects.get().kind == "upload"


def test_base64_is_taken_as_the_api_takes_it(operator: Client, workers: PretendedGateway) -> None:
    operator.post(UPLOAD, form(b"d2VpZ2h0cw=="))

    assert Version.objects.get().weights.size == len(b"weights")


def test_what_is_said_beside_the_file_is_kept_and_shown(operator: Client, workers: PretendedGateway) -> None:
    examples = SimpleUploadedFile("e.json", b'{"vector": [1, 2], "result": 3, "tolerance": 0.5}')
    operator.post(UPLOAD, {**form(), "order": "a, b", "expect": examples})

    version = Version.objects.get()
    assert "1 examples, to 0.5; layers in the order a, b" in text(
        operator, f"/admin/inference/version/{version.pk}/change/"
    )


def test_examples_that_cannot_be_read_are_said(operator: Client, workers: PretendedGateway) -> None:
    response = operator.post(UPLOAD, {**form(), "expect": SimpleUploadedFile("e.json", b"{")}, **JSON)

    assert (response.status_code, Version.objects.count()) == (400, 0)
    assert response.json()["trouble"].startswith("Expect is no JSON")


def test_our_script_stores_first_and_loads_then(operator: Client, workers: PretendedGateway) -> None:
    stored = json.loads(operator.post(UPLOAD, form(), **JSON).content)
    assert Version.objects.get().state == "pending"
    assert 'id="waiting"' in text(operator, stored["progress"])

    ended = json.loads(operator.post(stored["next"], **JSON).content)

    assert ended == {"location": f"/admin/inference/activation/{Activation.objects.get().pk}/change/"}
    assert (active_number(), Activation.objects.get().kind) == (1, "upload")
    assert operator.post(stored["next"], **JSON).status_code == 409


def test_what_was_deleted_before_it_was_loaded_is_not_loaded(operator: Client, workers: PretendedGateway) -> None:
    stored = json.loads(operator.post(UPLOAD, form(), **JSON).content)
    services.delete_version(NN_ID, 1, "somebody")

    assert operator.post(stored["next"], **JSON).status_code == 409
    assert not Activation.objects.exists()


def test_a_form_that_would_be_held_in_memory_is_not_read(operator: Client, workers: PretendedGateway) -> None:
    body = f"nn_id={NN_ID}&data=" + "x" * 100_000

    response = operator.post(UPLOAD, body, content_type="application/x-www-form-urlencoded")

    assert response.status_code == 415
    assert not Version.objects.exists()


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"nn_id": "A" * 32}, "32 lower-case hex digits"),
        ({"nn_id": ""}, "required"),
        ({"data": ""}, "required"),
        ({"data": SimpleUploadedFile("empty", b"")}, "Choose another file"),
        ({"data": SimpleUploadedFile("odd", b"!!")}, "Choose another file"),
    ],
)
def test_a_form_that_cannot_be_read_is_said(
    changed: Any, says: str, operator: Client, gateway: PretendedGateway
) -> None:
    response = operator.post(UPLOAD, form() | changed)

    assert response.status_code == 400
    assert says in response.content.decode()
    assert not Version.objects.exists()


START = (
    f'--b\r\nContent-Disposition: form-data; name="nn_id"\r\n\r\n{NN_ID}\r\n--b\r\n'
    'Content-Disposition: form-data; name="data"; filename="f"\r\n\r\n\x89HDF\r\n\x1a\nhalf'
).encode("latin-1")
PIECE_BYTES = 10_000
#: As a small body, which is read before Django is asked, and as one that its page reads.
HALVES = [START, START + bytes(3 * SMALL_BYTES)]


def send(browser: Client, half: bytes, path: str = UPLOAD, length: int | None = None, **about: Any) -> Answered:
    """A form that ends early, by the way that requests come."""
    headers = {
        "Content-Type": "multipart/form-data; boundary=b",
        "Cookie": "; ".join(f"{name}={morsel.value}" for name, morsel in browser.cookies.items()),
    }
    if length is not None:
        headers["Content-Length"] = str(length)
    pieces = [half[at : at + PIECE_BYTES] for at in range(0, len(half), PIECE_BYTES)]
    return ask(path, pieces=[*pieces, b""], headers=headers, **about)


@pytest.mark.parametrize("half", HALVES, ids=len)
@pytest.mark.parametrize(
    ("missing", "fault", "status", "says"),
    [
        (1000, None, 400, "he body broke off: 1000 bytes are missing"),
        (None, BadInputError("the body broke off"), 400, "he body broke off"),
        (1000, ClientTimeoutError("the rest did not come in time"), 408, "he rest did not come in time"),
    ],
)
def test_an_upload_that_breaks_off_stores_nothing(
    missing: int | None, fault: Any, status: int, says: str, half: bytes, operator: Client, workers: PretendedGateway
) -> None:
    length = None if missing is None else len(half) + missing
    response = send(operator, half, length=length, fault=fault)

    assert response.status_code == status
    assert says in response.content.decode()
    assert response.headers["Content-Type"].startswith("text/html") == (len(half) > SMALL_BYTES)
    assert not Version.objects.exists()


def test_one_whose_client_goes_away_stores_nothing(operator: Client, workers: PretendedGateway) -> None:
    response = send(operator, HALVES[1], gone=True)

    assert response.status_code == 400
    assert "The client has gone in the middle of the body." in response.content.decode()
    assert not Version.objects.exists()


def test_one_in_chunks_that_is_too_large_is_told_so(operator: Client, settings: Any, workers: PretendedGateway) -> None:
    settings.PIPELINE_MAX_UPLOAD_BYTES = 2 * SMALL_BYTES
    response = send(operator, HALVES[1])

    assert response.status_code == 413
    assert "PIPELINE_MAX_UPLOAD_BYTES" in response.content.decode()
    assert not Version.objects.exists()


@pytest.mark.parametrize("path", ["/admin/login/", f"{NETWORK}/rollback/", "/admin/inference/version/"])
def test_a_form_of_another_page_that_breaks_off_is_forbidden_and_no_defect(
    path: str, operator: Client, workers: PretendedGateway, caplog: pytest.LogCaptureFixture
) -> None:
    response = send(operator, HALVES[1], path, length=len(HALVES[1]) + 1000)

    assert response.status_code == 403
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_an_upload_that_is_too_large_is_not_read(operator: Client, settings: Any, gateway: PretendedGateway) -> None:
    settings.PIPELINE_MAX_UPLOAD_BYTES = 100

    response = operator.post(UPLOAD, form(b"x" * 200))

    assert response.status_code == 413
    assert "PIPELINE_MAX_UPLOAD_BYTES" in response.content.decode()
