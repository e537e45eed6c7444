"""What a compressed body stands for: bounded, a piece at a time, and so that others have their turn between two."""

from __future__ import annotations

import zlib
from typing import Any

from inference.errors import BadInputError, UnknownEncodingError

#: zlib's name of each compression that is read.
COMPRESSIONS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
#: What says that nothing is compressed.
NONE = (b"", b"identity")
#: In one turn of the loop so many bytes at most are decompressed, and to so many at most.
SLICE_BYTES, PIECE_BYTES = 16 * 1024, 256 * 1024


def inflater_for(encodings: bytes) -> Inflater | None:
    """For what a Content-Encoding says; None when it says that nothing is compressed."""
    compressions = [each for each in encodings.split(b",") if each.strip().lower() not in NONE]
    return Inflater(b",".join(compressions)) if compressions else None


class Inflater:
    """Decompresses what it is fed, a piece at a time: however much a few bytes stand for, no more is in memory."""

    def __init__(self, compression: bytes) -> None:
        self._compression = compression.decode("latin-1").strip().lower()
        self._fed = memoryview(b"")
        self._slice = b""
        self._zlib: Any = None
        self._has_output = False

    def feed(self, fed: bytes) -> None:
        """More of what is compressed; all that it was fed before has been taken."""
        self._fed = memoryview(fed)

    @property
    def has_more(self) -> bool:
        """Whether it was fed what has not been taken."""
        return bool(self._slice or self._fed or self._has_output)

    def take(self) -> bytes:
        """The next piece: what a slice of what it was fed stands for, which may be nothing.

        Raises:
            BadInputError: it was fed something else.
            UnknownEncodingError: nobody here reads what it was fed.
        """
        if not self._slice and not self._has_output:
            self._slice, self._fed = bytes(self._fed[:SLICE_BYTES]), self._fed[SLICE_BYTES:]
        if self._zlib is None or self._zlib.eof:  # a file may have several members
            self._zlib = zlib.decompressobj(self._bits)
        try:
            piece: bytes = self._zlib.decompress(self._slice, PIECE_BYTES)
        except zlib.error as error:
            raise BadInputError(f"the body is not compressed as its Content-Encoding says: {error}") from error
        self._slice = self._zlib.unused_data or self._zlib.unconsumed_tail
        self._has_output = len(piece) == PIECE_BYTES and not self._zlib.eof
        return piece

    def check_end(self) -> None:
        """Nothing more is fed.

        Raises:
            BadInputError: there should be more.
        """
        if self._zlib is not None and not self._zlib.eof:
            raise BadInputError("the compressed body broke off")

    @property
    def _bits(self) -> int:
        bits = COMPRESSIONS.get(self._compression)
        if bits is None:
            shown = ascii(self._compression)
            raise UnknownEncodingError(f"the Content-Encoding {shown} is not read here: send gzip, deflate, or none")
        return bits
