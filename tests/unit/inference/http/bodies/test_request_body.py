"""A request's body as it arrives: whole or an error, never more than it may be, decompressed a piece at a time."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable
from itertools import pairwise
from random import Random
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.errors import BadInputError, ClientTimeoutError, InferenceError, TooLargeError, UnknownEncodingError
from inference.http.bodies.request_body import PIECE_BYTES, Message, RequestBody
from tests.unit.asking import Asked

T = TypeVar("T")
MEGABYTE = 1024**2
NOISE = Random(1).randbytes(3 * PIECE_BYTES)
GZIP = {"Content-Encoding": "gzip"}


def body_of(*about: Any, **more: Any) -> RequestBody:
    """The body of a request that is asked so, see `Asked`."""
    asked = Asked("/predict", *about, **more)
    return RequestBody(asked.scope, asked.receive)


def read(*about: Any, limit: int | None = None, **more: Any) -> bytes:
    """All of it, which may have so many bytes."""
    body = body_of(*about, **more)
    if limit is not None:
        body.refuse_larger(limit)
    content = asyncio.run(body.read())
    assert body.ended
    return content


def compressed(content: bytes, coding: str = "gzip") -> bytes:
    return zlib.compress(content) if coding == "deflate" else gzip.compress(content, mtime=0)


def bomb(megabytes: int) -> bytes:
    """So many zeros in a thousandth of that."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(MEGABYTE)) for _ in range(megabytes)) + packer.flush()


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

    assert RequestBody(asked.scope, asked.receive).size == 0


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
        RequestBody(asked.scope, asked.receive).refuse_larger(100)
    assert asked.pieces == [b"x" * 101]


@pytest.mark.parametrize(
    "about", [{"body": b"x" * 100}, {"pieces": [b"x" * 60, b"x" * 40]}, {"pieces": [b"x" * 100, b""]}]
)
def test_one_that_is_just_small_enough_is_read(about: dict[str, Any]) -> None:
    assert read(limit=100, **about) == b"x" * 100


def test_one_of_unknown_size_is_refused_as_soon_as_it_is_too_large() -> None:
    asked = Asked(pieces=[b"x" * 60, b"x" * 41, b"x" * 1000])
    body = RequestBody(asked.scope, asked.receive)
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


# Compressed.


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", " GZip "])
@pytest.mark.parametrize("content", [b"", b"{}", b'{"vector": [0.5, 0.25]}', NOISE], ids=len)
def test_a_compressed_body_is_read_as_what_it_stands_for(content: bytes, coding: str) -> None:
    packed, headers = compressed(content, coding), {"Content-Encoding": coding}

    assert read(packed, headers=headers) == content
    assert read(pieces=[packed], headers=headers) == content
    assert read(pieces=[packed[:1], packed[1:5], b"", packed[5:-3], packed[-3:]], headers=headers) == content


@pytest.mark.parametrize("size", [PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 2 * PIECE_BYTES])
@pytest.mark.parametrize("members", [1, 2])
def test_however_much_a_piece_stands_for_the_end_is_found(size: int, members: int) -> None:
    for content in (bytes(size), NOISE[:size]):
        assert read(compressed(content) * members, headers=GZIP) == content * members


@given(
    members=st.lists(st.binary(max_size=200), min_size=1, max_size=4),
    cuts=st.lists(st.integers(0, 1000), max_size=8),
)
def test_several_members_are_one_body_wherever_it_is_cut(members: list[bytes], cuts: list[int]) -> None:
    packed = b"".join(map(compressed, members))
    at = sorted({0, len(packed), *(min(cut, len(packed)) for cut in cuts)})

    assert read(pieces=[packed[a:b] for a, b in pairwise(at)], headers=GZIP) == b"".join(members)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "gzip, br"])
def test_nothing_is_nothing_however_it_is_compressed(coding: str) -> None:
    assert read(b"", headers={"Content-Encoding": coding}) == b""
    assert read(pieces=[b""], headers={"Content-Encoding": coding}) == b""


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
@pytest.mark.parametrize("content", [b'{"vector": [0.5]}', NOISE], ids=["small", "large"])
def test_one_that_ends_early_is_refused_though_all_that_was_announced_came(coding: str, content: bytes) -> None:
    packed = compressed(content, coding)
    for kept in {1, 5, len(packed) // 2, len(packed) - 5, len(packed) - 1}:
        with pytest.raises(BadInputError, match=r"^the compressed body broke off$"):
            read(packed[:kept], headers={"Content-Encoding": coding})
    with pytest.raises(BadInputError, match=r"^the compressed body broke off$"):
        read(packed + packed[:9], headers={"Content-Encoding": coding})


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
@pytest.mark.parametrize("sent", [b"{}", b'{"vector": [0.5, 0.25]}', b"\x1f\x8b" + bytes(30)])
def test_what_is_not_compressed_as_it_says_is_refused(sent: bytes, coding: str) -> None:
    for content in (sent, compressed(b"{}", coding) + sent):
        with pytest.raises(BadInputError, match="is not compressed as its Content-Encoding says"):
            read(content, headers={"Content-Encoding": coding})


def test_a_checksum_that_is_wrong_is_seen() -> None:
    packed = compressed(b'{"vector": [0.5]}')

    with pytest.raises(BadInputError, match="incorrect data check"):
        read(packed[:-8] + bytes(4) + packed[-4:], headers=GZIP)


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, deflate", "gzip, gzip", "gzip;q=1", "é"])
def test_another_compression_is_refused_by_its_name(coding: str) -> None:
    with pytest.raises(UnknownEncodingError) as refusal:
        read(compressed(b"{}"), headers={"Content-Encoding": coding})
    assert ascii(coding) in str(refusal.value)


def test_one_that_is_compressed_twice_is_not_read_as_if_it_were_once() -> None:
    twice = compressed(compressed(b"{}"), "deflate")

    with pytest.raises(UnknownEncodingError):
        read(twice, headers=GZIP, more_headers=[(b"content-encoding", b"deflate")])


@pytest.mark.parametrize("headers", [{"Content-Length": "9999"}, {}])
def test_a_compressed_body_that_breaks_off_says_so(headers: dict[str, str]) -> None:
    with pytest.raises(BadInputError, match="broke off"):
        read(pieces=[compressed(b"{}")], headers=headers | GZIP, fault=BadInputError("the body broke off"))


# However much a few bytes stand for.


def peak_of(act: Callable[[], object]) -> int:
    """How much memory something takes at its height."""
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_one_that_comes_in_very_small_pieces_takes_no_more_memory_for_that() -> None:
    content, sent = bytes(range(256)) * 200, iter(range(2, 256 * 200 + 1, 2))

    async def receive() -> Message:
        until = next(sent)
        return {"type": "http.request", "body": content[until - 2 : until], "more_body": until < len(content)}

    body = RequestBody(Asked(pieces=[]).scope, receive)

    assert peak_of(lambda: asyncio.run(body.read())) < 10 * len(content)


def test_a_bomb_is_refused_before_it_is_in_memory() -> None:
    sent = bomb(100)

    def refuse() -> None:
        with pytest.raises(TooLargeError, match=f"more than the {8 * MEGABYTE} bytes"):
            read(sent, headers=GZIP, limit=8 * MEGABYTE)

    assert peak_of(refuse) < 10 * MEGABYTE


def test_of_one_that_is_read_piece_by_piece_no_more_than_a_piece_is_in_memory() -> None:
    body = body_of(bomb(64), headers=GZIP)

    async def count() -> int:
        total = 0
        while not body.ended:
            piece = await body.piece()
            assert len(piece) <= PIECE_BYTES
            total += len(piece)
        return total

    def read_all() -> None:
        assert asyncio.run(count()) == 64 * MEGABYTE

    assert peak_of(read_all) < 4 * PIECE_BYTES


def test_what_stands_for_nothing_is_no_way_to_send_without_end() -> None:
    nothing = compressed(b"") * 100
    asked = Asked(pieces=[nothing] * 100, headers=GZIP)
    body = RequestBody(asked.scope, asked.receive)
    body.refuse_larger(10 * len(nothing))

    with pytest.raises(TooLargeError):
        asyncio.run(body.read())
    assert len(asked.pieces) == 89


async def turns_while(act: Callable[[], Awaitable[object]]) -> int:
    """How many turns of the loop others have meanwhile."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await act()
    counting.cancel()
    return turns


@pytest.mark.parametrize(
    ("sent", "turns"),
    [(bomb(8), 30), (compressed(b"") * 10_000, 1000), (compressed(NOISE), 30)],
    ids=["bomb", "nothing", "noise"],
)
def test_others_have_their_turn_while_much_is_decompressed(sent: bytes, turns: int) -> None:
    assert asyncio.run(turns_while(body_of(sent, headers=GZIP).read)) > turns


def test_a_small_one_is_read_in_one_turn() -> None:
    assert asyncio.run(turns_while(body_of(compressed(b'{"vector": [0.5]}'), headers=GZIP).read)) <= 1
