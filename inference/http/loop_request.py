"""A request that is answered on the event loop, and what is answered: no thread, no Django."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from inference.http.bodies.request_body import Receive, RequestBody, Scope
from inference.http.exchange import exchange_of


class LoopRequest:
    """As those see it who decide about requests: with Django's names of headers in `META`."""

    __slots__ = ("META", "body", "exchange", "method")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.method: str = scope["method"]
        server, client = scope["server"] or ("localhost", 80), scope["client"]
        # Where it came to, for a client that does not say whom it asks.
        meta: dict[str, Any] = {"SERVER_NAME": server[0], "SERVER_PORT": str(server[1] or 0)}
        if client:
            meta["REMOTE_ADDR"] = client[0]
        for name, value in scope["headers"]:
            key, text = meta_name(name), value.decode("latin-1")
            meta[key] = f"{meta[key]},{text}" if key in meta else text
        self.META = meta
        self.exchange = exchange_of(scope)
        self.body = RequestBody(meta, self.exchange, receive)


@lru_cache(maxsize=1000)
def meta_name(name: bytes) -> str:
    """Django's name of a header."""
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


@dataclass(slots=True)
class LoopAnswer:
    """JSON that is there as a whole."""

    body: bytes
    status: int = 200
    headers: Sequence[tuple[str, str]] = ()
