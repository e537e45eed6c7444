"""A compressed body is read as what it stands for, in bounded memory, and nothing else is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.errors import BadInputError, TooLargeError, UnknownEncodingError
from inference.http.bodies.inflater import PIECE_BYTES
from tests.unit.asking import Asked
from tests.unit.inference.http.bodies.reading import GZIP, MEGABYTE, NOISE, body_of, bomb, compressed, peak_of, read


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
    body = asked.on_loop().body
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


@pytest.mark.parametrize("coding", ["identity, gzip", "gzip,", ", identity, GZIP"])
def test_what_says_that_nothing_is_compressed_stands_beside_what_is(coding: str) -> None:
    assert read(compressed(b"{}", "gzip"), headers={"Content-Encoding": coding}) == b"{}"
