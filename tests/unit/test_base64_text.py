"""Base64, as clients send weights and receive stack traces."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.base64_text import decode_file, decode_text, encode_text
from inference.errors import BadInputError


@given(st.binary(min_size=1))
def test_a_file_decodes_to_what_was_encoded(content: bytes) -> None:
    assert decode_file(base64.b64encode(content)) == content


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b" ", b"\t"])
def test_line_breaks_and_blanks_are_passed_over(line_end: bytes) -> None:
    content = bytes(range(256))
    text = base64.encodebytes(content).replace(b"\n", line_end)

    assert decode_file(line_end + text) == content


@pytest.mark.parametrize(
    "content",
    [b"A", b"AAA", b"AA=A", b"====", b"A-_A", b"AAA\x00", "AAAé".encode(), b"AA==AA==", b"\xff\xfe", b"{}"],
)
def test_what_is_no_base64_is_refused(content: bytes) -> None:
    with pytest.raises(BadInputError, match="data is not base64"):
        decode_file(content)


@pytest.mark.parametrize("content", [b"", b"\n", b"  \r\n\t"])
def test_nothing_is_refused(content: bytes) -> None:
    with pytest.raises(BadInputError, match="data is empty"):
        decode_file(content)


@given(st.text())
def test_a_text_decodes_to_what_was_encoded(text: str) -> None:
    assert decode_text(encode_text(text)) == text


@pytest.mark.parametrize("text", ["No weights loaded", "é", "AAA", "//79"])
def test_a_text_that_is_no_base64_of_a_text_stays_as_it_is(text: str) -> None:
    assert decode_text(text) == text
