"""A request that is answered on the event loop, and what is answered: no thread, no Django."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from inference.dispatch.waiting import nobody_knows
from inference.http.bodies.request_body import RequestBody, Scope
from inference.http.request_state import CUT_OFF, HAS_ENDED


class LoopRequest:
    """As those see it who decide about requests: with Django's names of headers in `META`."""

    __slots__ = ("META", "body", "method", "state")

    def __init__(self, scope: Scope, body: RequestBody) -> None:
        self.method: str = scope["method"]
        server, client = scope.get("server") or ("localhost", 80), scope.get("client")
        # Where it came to, for a client that does not say whom it asks.
        meta: dict[str, Any] = {"SERVER_NAME": server[0], "SERVER_PORT": str(server[1] or 0)}
        if client:
            meta["REMOTE_ADDR"] = client[0]
        for name, value in scope["headers"]:
            key, text = meta_name(name), value.decode("latin-1")
            meta[key] = f"{meta[key]},{text}" if key in meta else text
        self.META = meta
        self.body = body
        #: What the server has noted; see `request_state`.
        self.state: dict[str, Any] = scope.get("state", {})

    @property
    def client_has_ended(self) -> Callable[[], bool]:
        """What tells whether the client has ended its side."""
        tells: Callable[[], bool] = self.state.get(HAS_ENDED, nobody_knows)
        return tells

    def cut_off(self) -> None:
        """Have its body end, for it is too slow."""
        if (act := self.state.get(CUT_OFF)) is not None:
            act()


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
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
