"""Base64, as clients send weights and receive stack traces."""

from __future__ import annotations

import base64
import binascii
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.errors import BadInputError
from inference.http.bodies import base64_text
from inference.http.bodies.base64_text import decode_pieces, decode_text, encode_text


def decode(text: bytes) -> bytes:
    return b"".join(decode_pieces(io.BytesIO(text)))


@given(st.binary(min_size=1))
def test_a_file_decodes_to_what_was_encoded(content: bytes) -> None:
    assert decode(base64.b64encode(content)) == content


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b" ", b"\t"])
def test_line_breaks_and_blanks_are_passed_over(line_end: bytes) -> None:
    content = bytes(range(256))
    text = base64.encodebytes(content).replace(b"\n", line_end)

    assert decode(line_end + text) == content


TEXTS = st.one_of(
    st.binary(min_size=1).map(base64.b64encode),
    st.text("ABz019+/= \r\n\t-!é", min_size=1).map(str.encode),
    st.binary(min_size=1),
)


@given(
    text=TEXTS,
    blanks=st.lists(st.tuples(st.integers(0, 200), st.sampled_from([b"\n", b"\r\n", b" ", b"\t"]))),
    piece_bytes=st.integers(1, 9),
)
def test_however_it_is_cut_it_decodes_as_the_whole_does(
    text: bytes, blanks: list[tuple[int, bytes]], piece_bytes: int
) -> None:
    for place, blank in blanks:
        text = text[:place] + blank + text[place:]
    try:
        wanted = base64.b64decode(text.translate(None, b" \t\r\n"), validate=True)
    except binascii.Error:
        wanted = b""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base64_text, "PIECE_BYTES", piece_bytes)
        if wanted:
            assert decode(text) == wanted
        else:
            with pytest.raises(BadInputError):
                decode(text)


@given(content=st.binary(min_size=1, max_size=60), place=st.integers(0, 80), piece_bytes=st.integers(1, 9))
def test_a_bad_character_at_any_place_is_refused(content: bytes, place: int, piece_bytes: int) -> None:
    text = base64.b64encode(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base64_text, "PIECE_BYTES", piece_bytes)
        with pytest.raises(BadInputError, match="data is not base64"):
            decode(text[:place] + b"!" + text[place:])


@pytest.mark.parametrize(
    "content",
    [b"A", b"AAA", b"AA=A", b"====", b"A-_A", b"AAA\x00", "AAAé".encode(), b"AA==AA==", b"\xff\xfa", b"()"],
)
def test_what_is_no_base64_is_refused(content: bytes) -> None:
    with pytest.raises(BadInputError, match="data is not base64"):
        decode(content)


def test_a_file_of_another_kind_is_refused_by_its_name() -> None:
    with pytest.raises(BadInputError, match=r"^data is a gzip file: unpack it, and send the weights file"):
        decode(b"\x1f\x8b\x08\x00")


@pytest.mark.parametrize("content", [b"", b"\n", b"  \r\n\t"])
def test_nothing_is_refused(content: bytes) -> None:
    with pytest.raises(BadInputError, match="data is empty"):
        decode(content)


def test_a_weights_file_comes_as_it_is() -> None:
    content = b"\x89HDF\r\n\x1a\n" + bytes(1000)

    assert decode(content) == content


@given(st.text())
def test_a_text_decodes_to_what_was_encoded(text: str) -> None:
    assert decode_text(encode_text(text)) == text


def test_half_a_character_is_shown_as_its_escape() -> None:
    assert decode_text(encode_text("no layer \ud800")) == r"no layer \ud800"


@pytest.mark.parametrize("text", ["No weights loaded", "é", "AAA", "//79"])
def test_a_text_that_is_no_base64_of_a_text_stays_as_it_is(text: str) -> None:
    assert decode_text(text) == text
