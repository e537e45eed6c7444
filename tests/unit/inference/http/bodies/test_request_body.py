"""A request's body as it arrives: whole or an error, never more than it may be, decompressed a piece at a time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from inference.errors import BadInputError, ClientTimeoutError, InferenceError, TooLargeError
from inference.http.bodies.request_body import Message
from inference.http.loop_request import LoopRequest
from tests.unit.asking import Asked
from tests.unit.inference.http.bodies.reading import GZIP, body_of, peak_of, read

# What arrives.


@pytest.mark.parametrize(
    "pieces", [[b""], [b"all of it"], [b"all", b" of ", b"it"], [b"", b"all of ", b"", b"it", b""]]
)
@pytest.mark.parametrize("says_its_length", [True, False])
def test_a_body_is_read_whole_in_whatever_pieces_it_comes(pieces: list[bytes], says_its_length: bool) -> None:
    length = {"Content-Length": str(len(b"".join(pieces)))} if says_its_length else {}

    assert read(pieces=pieces, headers=length) == b"".join(pieces)


@pytest.mark.parametrize(
    ("about", "size"),
    [
        ({"body": b"12345"}, 5),
        ({"body": b""}, 0),
        ({"pieces": [b"12345"]}, None),
        ({"body": b"12345", "headers": GZIP}, None),
        ({"body": b"12345", "headers": {"Content-Encoding": "br"}}, None),
        ({"body": b"12345", "headers": {"Content-Encoding": "Identity"}}, 5),
        ({"body": b"12345", "headers": {"Content-Encoding": ""}}, 5),
    ],
)
def test_its_size_is_known_before_where_that_can_be(about: dict[str, Any], size: int | None) -> None:
    assert body_of(**about).size == size


def test_a_request_that_says_nothing_of_a_body_has_none() -> None:
    asked = Asked()
    asked.scope["headers"] = []

    assert asked.on_loop().body.size == 0


@pytest.mark.parametrize("pieces", [[b""], [b"40 bytes" * 5], [b"40 bytes" * 4, b"40 bytes"], [b"40 bytes" * 5, b""]])
@pytest.mark.parametrize("fault", [None, BadInputError("the body broke off")])
def test_one_that_breaks_off_says_how_many_bytes_are_missing(pieces: list[bytes], fault: InferenceError | None) -> None:
    missing = 100 - len(b"".join(pieces))

    with pytest.raises(BadInputError, match=f"^the body broke off: {missing} bytes are missing$"):
        read(pieces=pieces, headers={"Content-Length": "100"}, fault=fault)


def test_one_in_chunks_that_breaks_off_is_no_whole_one() -> None:
    with pytest.raises(BadInputError, match=r"^the body broke off$"):
        read(pieces=[b"{}", b""], fault=BadInputError("the body broke off"))


@pytest.mark.parametrize("length", [{}, {"Content-Length": "100"}])
def test_one_that_does_not_come_in_time_is_told_so(length: dict[str, str]) -> None:
    with pytest.raises(ClientTimeoutError, match=r"^did not come in time$"):
        read(pieces=[b"{}", b""], headers=length, fault=ClientTimeoutError("did not come in time"))


def test_whoever_goes_away_has_sent_no_whole_body() -> None:
    with pytest.raises(BadInputError, match="the client has gone in the middle"):
        read(pieces=[b"{}"], gone=True)


@pytest.mark.parametrize(("at_most", "began"), [(0, b"first"), (4, b"first"), (5, b"first second"), (99, b"all")])
def test_its_beginning_is_read_up_to_a_size_and_a_piece(at_most: int, began: bytes) -> None:
    pieces = [b"first", b" second", b" third"]
    body = body_of(pieces=pieces)

    assert asyncio.run(body.read_at_most(at_most)) == (b"".join(pieces) if began == b"all" else began)
    assert body.ended == (began == b"all")


# How much.


@pytest.mark.parametrize("headers", [{}, GZIP])
def test_one_that_says_that_it_is_too_large_is_refused_unread(headers: dict[str, str]) -> None:
    asked = Asked("/predict", b"x" * 101, headers=headers)

    with pytest.raises(TooLargeError, match="the body has 101 bytes, this gateway takes 100"):
        asked.on_loop().body.refuse_larger(100)
    assert asked.pieces == [b"x" * 101]


@pytest.mark.parametrize(
    "about", [{"body": b"x" * 100}, {"pieces": [b"x" * 60, b"x" * 40]}, {"pieces": [b"x" * 100, b""]}]
)
def test_one_that_is_just_small_enough_is_read(about: dict[str, Any]) -> None:
    assert read(limit=100, **about) == b"x" * 100


def test_one_of_unknown_size_is_refused_as_soon_as_it_is_too_large() -> None:
    asked = Asked(pieces=[b"x" * 60, b"x" * 41, b"x" * 1000])
    body = asked.on_loop().body
    body.refuse_larger(100)

    with pytest.raises(TooLargeError, match="more than the 100 bytes"):
        asyncio.run(body.read())
    assert asked.pieces == [b"x" * 1000]


def test_one_that_goes_on_after_the_limit_is_not_given_up_to_there() -> None:
    body = body_of(pieces=[b"x" * 60, b"x" * 40, b"x"])
    body.refuse_larger(100)

    assert asyncio.run(body.piece()) == b"x" * 60
    with pytest.raises(TooLargeError):
        asyncio.run(body.piece())


def test_one_of_which_more_has_been_read_is_refused_at_once() -> None:
    body = body_of(pieces=[b"x" * 101])
    asyncio.run(body.read())

    with pytest.raises(TooLargeError, match="more than the 100 bytes"):
        body.refuse_larger(100)
    body.refuse_larger(101)


# However much a few bytes stand for.


def test_one_that_comes_in_very_small_pieces_takes_no_more_memory_for_that() -> None:
    content, sent = bytes(range(256)) * 200, iter(range(2, 256 * 200 + 1, 2))

    async def receive() -> Message:
        until = next(sent)
        return {"type": "http.request", "body": content[until - 2 : until], "more_body": until < len(content)}

    body = LoopRequest(Asked(pieces=[]).scope, receive).body

    assert peak_of(lambda: asyncio.run(body.read())) < 10 * len(content)
