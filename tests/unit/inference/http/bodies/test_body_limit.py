"""A body that is too large for a view is refused before any of it is read, or as soon as that is known."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from inference.errors import TooLargeError
from inference.http.bodies.body_limit import BODY, refuse_larger
from inference.http.bodies.request_body import RequestBody
from tests.unit.asking import Asked


class Unread:
    """A body that nobody is to read."""

    def read(self, count: int = -1) -> bytes:
        raise AssertionError("it is read")


def request(length: int | str | None, body: RequestBody | None = None) -> Request:
    """Django's: of Django's own test client, or of a request whose body is there as it arrives."""
    made = APIRequestFactory().post("/set_weights")
    made.META.update({"wsgi.input": Unread()})
    made.META.pop("CONTENT_LENGTH", None)
    if length is not None:
        made.META["CONTENT_LENGTH"] = str(length)
    if body is not None:
        made.META["asgi.scope"] = {"state": {BODY: body}}
    return Request(made)


@pytest.mark.parametrize("length", [None, "", 0, 99, 100])
def test_a_body_up_to_the_limit_passes_unread(length: int | str | None) -> None:
    refuse_larger(request(length), 100)


def test_a_larger_body_is_refused_unread() -> None:
    with pytest.raises(TooLargeError, match="has 101 bytes, this gateway takes 100"):
        refuse_larger(request(101), 100)


@pytest.mark.parametrize("size", [0, 99, 100])
def test_a_body_that_arrives_may_be_as_large(size: int) -> None:
    asked = Asked("/set_weights", b"x" * size)

    refuse_larger(request(size, asked.on_loop().body), 100)

    assert asked.pieces == [b"x" * size]


def test_one_that_arrives_and_is_larger_is_refused_unread() -> None:
    asked = Asked("/set_weights", b"x" * 101)

    with pytest.raises(TooLargeError, match="has 101 bytes, this gateway takes 100"):
        refuse_larger(request(101, asked.on_loop().body), 100)
    assert asked.pieces == [b"x" * 101]


@pytest.mark.parametrize(
    "about", [{"pieces": [b"x" * 60, b"x" * 41]}, {"body": b"x" * 99, "headers": {"Content-Encoding": "gzip"}}]
)
def test_of_one_whose_size_nobody_knows_what_django_is_told_does_not_count(about: dict[str, Any]) -> None:
    asked = Asked("/set_weights", **about)

    refuse_larger(request(10**9, asked.on_loop().body), 100)


def test_one_whose_size_nobody_knows_is_refused_when_it_is_read() -> None:
    asked = Asked("/set_weights", pieces=[b"x" * 60, b"x" * 41, b"x" * 1000])
    body = asked.on_loop().body
    refuse_larger(request(10**9, body), 100)

    with pytest.raises(TooLargeError, match="more than the 100 bytes"):
        asyncio.run(body.read())
    assert asked.pieces == [b"x" * 1000]


def test_one_that_has_been_read_before_the_view_is_asked_is_refused_there() -> None:
    asked = Asked("/set_weights", pieces=[b"x" * 101])
    body = asked.on_loop().body
    asyncio.run(body.read())

    with pytest.raises(TooLargeError, match="more than the 100 bytes"):
        refuse_larger(request(101, body), 100)
