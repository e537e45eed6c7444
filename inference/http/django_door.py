"""Django's door: everything but predictions, which may wait for the database and the disk as long as it likes.

a2wsgi runs Django's WSGI handler in threads: it streams both ways, and gathers nothing. Django's own ASGI handler
writes a whole upload to the disk before any view may refuse it, on the event loop, and gathers a streamed download.
A small body is read before a thread is taken for it; a large one is read by its view, as it comes.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from a2wsgi.wsgi import WSGIResponder
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters

from inference.errors import InferenceError
from inference.http.bodies.body_limit import BODY, load_bytes_max
from inference.http.bodies.request_body import SMALL_BYTES, Message, Receive, Scope, Send
from inference.http.loop_request import LoopRequest

#: What tells how the body arrives, which Django gets as it is.
HOW_IT_ARRIVES = (b"content-length", b"transfer-encoding", b"content-encoding")
#: Where a file may come in JSON.
LOADS = re.compile("/v2/repository/models/[^/]+/load")
#: How many pieces of its answer a thread may be ahead of its reader, beside those on their way.
PIECES_AHEAD = 1


class GatewayRequest(WSGIRequest):
    """A request as Django has it, whatever its Content-Type says.

    Text is UTF-8, and no charset that a client names is looked up: Django fails by those that are none of text (`zlib`)
    and by those that cannot replace what they cannot read (`punycode`). A content type that cannot be read is taken for
    none.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except (LookupError, ValueError):  # a parameter may come in a charset of its own
            meta["CONTENT_TYPE"] = self.content_type = ""
            self.content_params = {}


class Responder(WSGIResponder):
    """a2wsgi's, but for an answer that cannot be sent: its thread would wait for ever for somebody to take the rest."""

    async def sender(self, send: Any) -> None:
        """Send what the thread answers, to its end."""
        try:
            await super().sender(send)
        except Exception:
            while await self.send_queue.get() is not None:
                pass
            raise


class DjangoDoor:
    """An ASGI application; owns its threads."""

    def __init__(self, django: WSGIHandler, threads: int) -> None:
        self._django = django
        self._threads = ThreadPoolExecutor(threads, "django")
        self._slow = SlowBodies(threads // 2)
        self._size_max, self._form_size_max = settings.PIPELINE_MAX_BODY_BYTES, settings.PIPELINE_MAX_UPLOAD_BYTES

    def close(self) -> None:
        """End the threads that do nothing."""
        self._threads.shutdown(wait=False)

    async def __call__(self, scope: Scope, asks: LoopRequest, send: Send) -> None:
        """Answer a request.

        Raises:
            InferenceError: its body is larger than any may be, or small and cannot be read; Django has not been asked.
        """
        headers = [header for header in scope["headers"] if header[0] not in HOW_IT_ARRIVES]
        body, began = asks.body, b""
        form = str(asks.META.get("CONTENT_TYPE", "")).lower().startswith("multipart/")
        most = self._form_size_max if form else self._size_max
        if LOADS.fullmatch(scope["path"]):
            most = load_bytes_max()
        if body.size is None:
            body.refuse_larger(most)
        if body.size is None or body.size <= SMALL_BYTES:
            began = await body.read_at_most(SMALL_BYTES)
        size = len(began) if body.ended else body.size or most
        state = {**scope.get("state", {}), BODY: body}
        asked = {**scope, "headers": [*headers, (b"content-length", b"%d" % size)], "state": state}
        responder = Responder(self._django, self._threads, PIECES_AHEAD)  # type: ignore[arg-type]  # it is a WSGI handler
        await responder(asked, self._slow.arriving(asks, began), send)  # type: ignore[arg-type]  # a scope, as it was


class UnreadableError(OSError):
    """A body cannot be read, for the InferenceError that is its cause; to Django it is a client that has gone."""


class SlowBodies:
    """The large bodies that threads wait for: so many, and one more cuts off the longest silent."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waited_for: dict[LoopRequest, None] = {}

    def arriving(self, asks: LoopRequest, began: bytes) -> Receive:
        """What a thread reads a request's body by; `began` is what has been read of it."""

        async def receive() -> Message:
            nonlocal began
            piece, began = began, b""
            if not piece and not asks.body.ended:
                piece = await self._next_piece(asks)
            return {"type": "http.request", "body": piece, "more_body": not asks.body.ended}

        return receive

    async def _next_piece(self, asks: LoopRequest) -> bytes:
        self._waited_for[asks] = None
        if len(self._waited_for) > self._most:
            longest = next(iter(self._waited_for))
            del self._waited_for[longest]
            longest.exchange.cut_off()
        try:
            return await asks.body.piece()
        except InferenceError as error:
            raise UnreadableError(str(error)) from error
        finally:
            self._waited_for.pop(asks, None)
