"""What a view answers when the large body that it reads cannot be read."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from inference.errors import BadInputError, ClientTimeoutError
from inference.http.bodies.request_body import SMALL_BYTES
from tests.unit.asking import Answered, ask
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import NN_ID

FORM = {"Content-Type": "multipart/form-data; boundary=b"}


START = (
    f'--b\r\nContent-Disposition: form-data; name="nn_id"\r\n\r\n{NN_ID}\r\n--b\r\nContent-Disposition: form-data; '
    'name="data"; filename="f"\r\nContent-Type: application/octet-stream\r\n\r\n\x89HDF\r\n\x1a\n'
).encode("latin-1")


ACTIVATE = f"/networks/{NN_ID}/activate"


VIEWS = [
    ("PUT", "/set_weights", FORM, START),
    ("PUT", "/set_weights", {"Content-Type": "application/x-www-form-urlencoded"}, b"nn_id=1&data="),
    ("PUT", "/set_weights", {}, b'{"nn_id": 1}'),
    ("POST", ACTIVATE, {}, b'{"version": 1}'),
]


class View:
    """One, and the beginning of a body that it reads."""

    def __init__(self, method: str, path: str, headers: dict[str, str], start: bytes) -> None:
        self._method, self._path, self._headers = method, path, headers
        self.body = [start, b" " * SMALL_BYTES, b" " * SMALL_BYTES]

    def ask(self, pieces: list[bytes], headers: dict[str, str] | None = None, **about: Any) -> Answered:
        return ask(self._path, method=self._method, pieces=pieces, headers=self._headers | (headers or {}), **about)


@pytest.fixture(params=VIEWS, ids=[f"{path} {headers.get('Content-Type', '')[:12]}" for _, path, headers, _ in VIEWS])
def view(request: pytest.FixtureRequest, gateway: PretendedGateway) -> View:
    """A view that reads its body."""
    return View(*request.param)


def test_a_large_body_that_breaks_off_is_400_and_says_how_much_is_missing(view: View) -> None:
    answered = view.ask(view.body, {"Content-Length": "1000000"})

    missing = 1_000_000 - len(b"".join(view.body))
    assert answered.status_code == 400
    assert answered.json()["message"] == f"the body broke off: {missing} bytes are missing"


def test_one_in_chunks_that_breaks_off_is_400(view: View) -> None:
    answered = view.ask([*view.body, b""], fault=BadInputError("the body broke off"))

    assert (answered.status_code, answered.json()["message"]) == (400, "the body broke off")


def test_one_that_does_not_come_in_time_is_408(view: View) -> None:
    answered = view.ask([*view.body, b""], fault=ClientTimeoutError("it did not come in time"))

    assert (answered.status_code, answered.json()["message"]) == (408, "it did not come in time")


def test_one_whose_client_goes_away_is_400(view: View) -> None:
    answered = view.ask(view.body, gone=True)

    assert (answered.status_code, answered.json()["message"]) == (400, "the client has gone in the middle of the body")


def test_one_of_unknown_size_that_is_too_large_is_413(view: View, settings: Settings) -> None:
    settings.PIPELINE_MAX_UPLOAD_BYTES = settings.PIPELINE_MAX_BODY_BYTES = 2 * SMALL_BYTES
    answered = view.ask([*view.body, *[b" " * SMALL_BYTES] * 9])

    assert answered.status_code == 413
    assert answered.json()["message"] == f"the body has more than the {2 * SMALL_BYTES} bytes that this gateway takes"


@pytest.mark.parametrize(("cut", "says"), [(-1, "the compressed body broke off"), (9, "is not compressed as")])
def test_a_large_one_that_is_not_compressed_as_it_says_is_400(cut: int, says: str, view: View) -> None:
    sent = gzip.compress(b"".join(view.body), 0)
    answered = view.ask([sent[:cut], b""] if cut < 0 else [sent[:-cut], b"nonsense!"], {"Content-Encoding": "gzip"})

    assert answered.status_code == 400
    assert says in answered.json()["message"]
