"""Refuses a request whose body is too large before it is read; has large ones read into numbers one at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from django.http import HttpRequest
from rest_framework.request import Request

from inference.errors import BUSY_MESSAGE, BusyError, LengthRequiredError, TooLargeError
from inference.http.bodies.discard import discard_body

#: A body of so many bytes is large: as Python's numbers it takes some seven times as much memory.
LARGE_BYTES = 64 * 1024
#: How long one waits for the others' turns.
TURN_SECONDS = 10.0
_turn = threading.Lock()
_NO_TURN = nullcontext()


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
    discard_body(request.META)


def turn_to_parse(request: Request) -> AbstractContextManager[None]:
    """Where a body is read into numbers: several large ones at once would take as much memory each, and no less time.

    Raises:
        BusyError: on entering, when its turn did not come for long.
    """
    small = int(request.META.get("CONTENT_LENGTH") or 0) <= LARGE_BYTES
    return _NO_TURN if small else _turn_of(request)


@contextmanager
def _turn_of(request: Request) -> Iterator[None]:
    _ = request.body  # a client that is slow to send it has its turn afterwards
    if not _turn.acquire(timeout=TURN_SECONDS):
        raise BusyError(BUSY_MESSAGE)
    try:
        yield
    finally:
        _turn.release()
