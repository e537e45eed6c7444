"""A request that is answered on the event loop, and what is answered: no thread, no Django."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from inference.http.bodies.request_body import Receive, RequestBody, Scope
from inference.http.exchange import exchange_of

JSON, BYTES = "application/json", "application/octet-stream"


class LoopRequest:
    """As those see it who decide about requests."""

    __slots__ = ("_meta", "_scope", "body", "exchange", "headers")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._scope = scope
        self._meta: dict[str, Any] | None = None
        self.headers = headers_by_name(scope["headers"])
        self.exchange = exchange_of(scope)
        self.body = RequestBody(self.headers, self.exchange, receive)

    @property
    def META(self) -> dict[str, Any]:  # noqa: N802 - Django names it so
        """The headers by Django's names, and where it came to and from; made when first asked for: most ask nothing."""
        if self._meta is None:
            server, client = self._scope.get("server") or ("localhost", 80), self._scope.get("client")
            # Where it came to, for a client that does not say whom it asks.
            self._meta = {"SERVER_NAME": server[0], "SERVER_PORT": str(server[1] or 0)}
            if client:
                self._meta["REMOTE_ADDR"] = client[0]
            self._meta |= {meta_name(name): value.decode("latin-1") for name, value in self.headers.items()}
        return self._meta


def headers_by_name(headers: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """What each header says; several of one name with commas and blanks between, so that they are not taken for one."""
    by_name = dict(headers)
    if len(by_name) < len(headers):
        by_name = {wanted: b", ".join([value for name, value in headers if name == wanted]) for wanted in by_name}
    return by_name


@lru_cache(maxsize=1000)
def meta_name(name: bytes) -> str:
    """Django's name of a header."""
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


@dataclass(slots=True)
class LoopAnswer:
    """A body that is there as a whole."""

    body: bytes
    status: int = 200
    headers: Sequence[tuple[str, str]] = ()
    content_type: str = JSON
