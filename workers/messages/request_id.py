"""The id of the request that is being handled: it goes with what is done for it, and into every line of the log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

#: Of the calling task or thread; "" outside of any request.
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")

#: The longest id that is taken from a client, and how many of a batch's requests are named to its worker.
REQUEST_ID_CHARACTERS_MAX = 128
REQUEST_IDS_MAX = 32


@contextmanager
def handling(request_id: str) -> Iterator[None]:
    """While the block runs, its thread does it for this request."""
    token = REQUEST_ID.set(request_id)
    try:
        yield
    finally:
        REQUEST_ID.reset(token)
