"""Base64, as clients may send weights and as they receive stack traces."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from functools import partial
from typing import IO

from inference.errors import BadInputError
from workers.runtime.file_format import tell_format
from workers.runtime.foreign_format import tell_foreign

WHITE_SPACE = b" \t\r\n"
PADDING = ord("=")
FILES = "a Keras .keras, .h5 or .weights.h5, safetensors, or a state_dict of torch.save"
#: Decoding a piece keeps every other thread waiting, so it is short: less than a millisecond.
PIECE_BYTES = 256 * 1024


def encode_text(text: str) -> str:
    """A text's UTF-8 bytes in base64; a lone surrogate, which has none, is shown as its escape."""
    return base64.b64encode(text.encode("utf-8", "backslashreplace")).decode("ascii")


def decode_pieces(file: IO[bytes]) -> Iterator[bytes]:
    """The bytes of a weights file, in pieces: as they are when it has the form of one, else what its base64 text
    stands for. Line breaks in the text are allowed; no more than a few pieces are in memory at once.

    Raises:
        BadInputError: it is empty, or neither a weights file nor base64; what it is instead is told where it is known.
    """
    bare = tell_format(file) is not None
    if not bare:
        refuse_foreign(file)
    file.seek(0)
    pieces = iter(partial(file.read, PIECE_BYTES), b"")
    return pieces if bare else _decode(pieces)


def refuse_foreign(file: IO[bytes]) -> None:
    """Refuse a file that can be called by its name, and is no weights file.

    Raises:
        BadInputError: what it is, and what to send instead.
    """
    if told := tell_foreign(file):
        raise BadInputError(f"data is {told}")


def _decode(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest, padded, empty = b"", False, True
    for piece in pieces:
        text = rest + piece.translate(None, WHITE_SPACE)
        whole = len(text) - len(text) % 4
        rest = text[whole:]
        if padded and text:
            raise BadInputError("data is not base64: it goes on after its end")
        if whole:
            padded, empty = text[whole - 1] == PADDING, False
            yield _decode_whole(text[:whole])
    if rest:
        yield _decode_whole(rest)
    elif empty:
        raise BadInputError("data is empty")


def _decode_whole(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise BadInputError(f"data is not base64 ({error}), and none of the files that are read: {FILES}") from error


def decode_text(text: str) -> str:
    """The text that base64 stands for, or `text` itself when it is no base64."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return text
