"""Bodies of requests for the tests: how one is read, and what stands for much."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import Callable
from random import Random
from typing import Any, TypeVar

from inference.http.bodies.inflater import PIECE_BYTES
from inference.http.bodies.request_body import RequestBody
from tests.unit.asking import Asked

T = TypeVar("T")


MEGABYTE = 1024**2


NOISE = Random(1).randbytes(3 * PIECE_BYTES)


GZIP = {"Content-Encoding": "gzip"}


def body_of(*about: Any, **more: Any) -> RequestBody:
    """The body of a request that is asked so, see `Asked`."""
    asked = Asked("/predict", *about, **more)
    return asked.on_loop().body


def read(*about: Any, limit: int | None = None, **more: Any) -> bytes:
    """All of it, which may have so many bytes."""
    body = body_of(*about, **more)
    if limit is not None:
        body.refuse_larger(limit)
    content = asyncio.run(body.read())
    assert body.ended
    return content


def compressed(content: bytes, coding: str = "gzip") -> bytes:
    return zlib.compress(content) if coding == "deflate" else gzip.compress(content, mtime=0)


def bomb(megabytes: int) -> bytes:
    """So many zeros in a thousandth of that."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(MEGABYTE)) for _ in range(megabytes)) + packer.flush()


def peak_of(act: Callable[[], object]) -> int:
    """How much memory something takes at its height."""
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
