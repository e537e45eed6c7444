"""Base64, as clients may send weights and as they receive stack traces."""

from __future__ import annotations

import base64
import binascii

from inference.errors import BadInputError
from workers.file_format import tell_format

WHITE_SPACE = b" \t\r\n"


def encode_text(text: str) -> str:
    """A text's UTF-8 bytes in base64."""
    return base64.b64encode(text.encode()).decode("ascii")


def decode_file(content: bytes) -> bytes:
    """The bytes of a weights file: as they are when they have the form of one, else what their base64 text stands for.

    Line breaks in the text are allowed.

    Raises:
        BadInputError: it is empty, or neither a weights file nor base64.
    """
    if tell_format(content) is not None:
        return content
    try:
        decoded = base64.b64decode(content.translate(None, WHITE_SPACE), validate=True)
    except binascii.Error as error:
        raise BadInputError(f"data is not base64: {error}") from error
    if not decoded:
        raise BadInputError("data is empty")
    return decoded


def decode_text(text: str) -> str:
    """The text that base64 stands for, or `text` itself when it is no base64."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return text
