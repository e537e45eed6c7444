"""What the server knows of a request beyond ASGI: it puts an exchange in the `state` of the request's scope.

Imports nothing of Django: the server has it before Django is set up.
"""

from __future__ import annotations

from typing import Any

from inference.errors import InferenceError

#: Its name there.
EXCHANGE = "exchange"


class Exchange:
    """One request and its answer; this one is of a server that knows nothing more."""

    #: Why no more of the request's body will come.
    fault: InferenceError | None = None
    #: What is to be answered to bytes that are no request: a status and a message.
    refusal: tuple[int, str] | None = None

    def client_has_ended(self) -> bool:
        """Whether the client has ended its side of the connection, and perhaps gone; False where nobody knows."""
        return False

    def cut_off(self) -> None:
        """Have the request's body end, for its client is too slow."""

    def take_body(self) -> bytes | None:
        """The whole body, when all of it is there; None when it is to be received, or what is left of it."""
        return None

    def answer(self, status: int, head: bytes, body: bytes) -> bool:
        """Write a whole answer at once, `head` being its headers as they are sent; whether that could be done.

        ASGI's two messages cost a prediction a tenth of its time.
        """
        return False


def exchange_of(scope: Any) -> Exchange:
    """That of a request."""
    exchange: Exchange | None = scope.get("state", {}).get(EXCHANGE)
    return exchange or Exchange()
