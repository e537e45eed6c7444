"""A body that is too large is refused, and read no further than a client needs to see the refusal."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from inference.errors import TooLargeError
from inference.http.bodies import discard
from inference.http.bodies.body_limit import refuse_larger
from inference.http.bodies.discard import DISCARDED_BYTES_MAX, READ_BYTES


class Body(BytesIO):
    """Counts what is read of it; what it has no bytes for are zeros, up to `size`."""

    def __init__(self, size: int, sent: int | None = None) -> None:
        super().__init__()
        self.left = size if sent is None else sent
        self.taken = 0

    def read(self, count: int | None = -1) -> bytes:
        assert count is not None
        assert 0 < count <= READ_BYTES
        count = min(count, self.left)
        self.left -= count
        self.taken += count
        return bytes(count)


def request(length: int | str | None, body: Any) -> Request:
    made = APIRequestFactory().post("/predict")
    made.META.update({"wsgi.input": body})
    made.META.pop("CONTENT_LENGTH", None)
    if length is not None:
        made.META["CONTENT_LENGTH"] = str(length)
    return Request(made)


@pytest.mark.parametrize("length", [None, "", 0, 99, 100])
def test_a_body_up_to_the_limit_passes_unread(length: int | str | None) -> None:
    body = Body(100)

    refuse_larger(request(length, body), 100)

    assert body.taken == 0


def test_a_larger_body_is_refused_after_it_was_read() -> None:
    body = Body(3 * READ_BYTES + 5)

    with pytest.raises(TooLargeError, match=f"has {3 * READ_BYTES + 5} bytes, this gateway takes 100"):
        refuse_larger(request(body.left, body), 100)
    assert body.left == 0


def test_no_more_than_the_body_is_read() -> None:
    body = Body(1000)

    with pytest.raises(TooLargeError):
        refuse_larger(request(101, body), 100)
    assert body.taken == 101


def test_of_a_huge_body_no_more_is_read_than_is_worth_it() -> None:
    body = Body(DISCARDED_BYTES_MAX * 4)

    with pytest.raises(TooLargeError):
        refuse_larger(request(body.left, body), 100)
    assert body.taken == DISCARDED_BYTES_MAX


def test_a_client_that_stops_sending_is_refused_at_once() -> None:
    body = Body(1000, sent=10)

    with pytest.raises(TooLargeError):
        refuse_larger(request(1000, body), 100)


def test_a_client_that_sends_slowly_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1000, 2))
    monkeypatch.setattr(discard, "monotonic", lambda: next(clock))
    body = Body(DISCARDED_BYTES_MAX)

    with pytest.raises(TooLargeError):
        refuse_larger(request(body.left, body), 100)
    assert body.taken < DISCARDED_BYTES_MAX


@pytest.mark.parametrize("error", [ConnectionResetError("gone"), TimeoutError("slow")])
def test_a_client_that_goes_away_meanwhile_is_refused_like_any_other(error: Exception) -> None:
    class Broken:
        def read(self, count: int) -> bytes:
            raise error

    with pytest.raises(TooLargeError):
        refuse_larger(request(1000, Broken()), 100)
