"""Refuses a request whose body is too large before it is read, and reads what a client needs to see a refusal."""

from __future__ import annotations

from time import monotonic

from django.http import HttpRequest
from rest_framework.request import Request

from inference.errors import LengthRequiredError, TooLargeError

#: A client that is cut off while it sends does not see the answer, so this much of its body is read and thrown away.
DRAINED_BYTES_MAX = 64 * 1024**2
DRAIN_SECONDS = 5.0
READ_BYTES = 256 * 1024


def refuse_larger(request: Request | HttpRequest, limit: int) -> None:
    """Refuse a body of more than `limit` bytes, or of unknown length.

    Raises:
        TooLargeError: it is larger.
        LengthRequiredError: it comes in chunks, whose sum nobody knows.
    """
    if request.META.get("HTTP_TRANSFER_ENCODING"):
        raise LengthRequiredError("the body must come with a Content-Length, not in chunks")
    size = int(request.META.get("CONTENT_LENGTH") or 0)
    if size <= limit:
        return
    drain(request)
    raise TooLargeError(f"the body has {size} bytes, this gateway takes {limit}")


def drain(request: Request | HttpRequest) -> None:
    """Throw the body of a request away that is refused before it is read, within bounds."""
    size = min(int(request.META.get("CONTENT_LENGTH") or 0), DRAINED_BYTES_MAX)
    stream, deadline = request.META["wsgi.input"], monotonic() + DRAIN_SECONDS
    while size > 0 and monotonic() < deadline:
        try:
            read = len(stream.read(min(size, READ_BYTES)))
        except OSError:
            return  # the client has gone
        if not read:
            return
        size -= read
