"""What is still to come of a refused request is read and forgotten, within bounds: a client that is cut off while it
sends does not see its answer.
"""

from __future__ import annotations

from time import monotonic
from typing import Any, Protocol

DISCARDED_BYTES_MAX = 64 * 1024**2
DISCARD_SECONDS = 5.0
READ_BYTES = 256 * 1024


class Body(Protocol):
    """What a server reads a request's body from."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none when it has ended."""


def discard_body(environ: dict[str, Any]) -> None:
    """Discard the body of a request; when it comes in chunks, nobody knows its size."""
    in_chunks = environ.get("HTTP_TRANSFER_ENCODING")
    discard(environ["wsgi.input"], DISCARDED_BYTES_MAX if in_chunks else int(environ.get("CONTENT_LENGTH") or 0))


def discard(body: Body, size: int) -> None:
    """Discard so many bytes of a body."""
    size, deadline = min(size, DISCARDED_BYTES_MAX), monotonic() + DISCARD_SECONDS
    while size > 0 and monotonic() < deadline:
        try:
            read = len(body.read(min(size, READ_BYTES)))
        except OSError:
            return  # the client has gone
        if not read:
            return
        size -= read
