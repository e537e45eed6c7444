"""Which door answers a request: a prediction's, on the event loop, or Django's, in a thread; and errors before both."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Iterable, Sequence
from time import monotonic

from django.conf import settings

from inference.http.bodies.request_body import Message, Receive, Scope, Send
from inference.http.error_texts import shaped
from inference.http.loop_request import BYTES, JSON, LoopAnswer, LoopRequest
from inference.http.loop_routes import LoopRoutes
from inference.http.observed import identify, note, note_prediction
from inference.http.responses import answer_to, refused
from inference.http.security_headers import NO_PAGE, asked_by_https, strict_transport


async def no_life(receive: Receive, send: Send) -> None:
    """Of an application that needs nothing to begin or end with."""


class Doors:
    """The application. Each request has an id, and is noted for /metrics once, when its answer begins."""

    def __init__(
        self,
        django: Callable[[Scope, LoopRequest, Send], Awaitable[None]],
        live: Callable[[Receive, Send], Awaitable[None]] = no_life,
    ) -> None:
        """`live` goes through the process's life with the server."""
        self._django = django
        self._live = live
        #: What is answered on the loop: only what waits for nothing else than a worker's answer.
        self.on_loop = LoopRoutes()
        heads = {each: _encoded([("content-type", each), *NO_PAGE.items()]) for each in (JSON, BYTES)}
        self._heads = {each: (headers, _written(headers)) for each, headers in heads.items()}
        self._https = strict_transport(settings.SECURE_HSTS_SECONDS)
        self._adds_to_answers = bool(settings.PIPELINE_CORS_ORIGINS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or go through the process's life.

        Raises:
            Exception: an answer that had begun broke off; the server is to end the connection.
        """
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        began, asks = monotonic(), LoopRequest(scope, receive)
        request_id = identify(asks.headers)
        answer: LoopAnswer | None
        if (refusal := asks.exchange.refusal) is not None:
            answer = shaped(scope["path"], refused(*refusal))
            note(scope["method"], scope["path"], answer.status, None)
        elif (route := self.on_loop.find(scope["method"], scope["path"])) is not None:
            door, named = route
            try:
                answer = await door(asks, named)
            except (Exception, CancelledError) as error:  # noqa: BLE001 - it is answered, and logged if it is a defect
                answer = door.refuse(error, asks)
            note_prediction(door.endpoint, answer.status, monotonic() - began)
        else:
            answer = await self._ask_django(scope, asks, send, request_id, began)
        if answer is not None and not self._answer_at_once(scope, answer, asks, request_id):
            own = (b"content-length", b"%d" % len(answer.body)), (b"x-request-id", request_id)
            headers = [*self._heads[answer.content_type][0], *own, *_encoded(self._more_headers(scope, answer, asks))]
            await send({"type": "http.response.start", "status": answer.status, "headers": headers})
            await send({"type": "http.response.body", "body": answer.body})

    async def _ask_django(
        self, scope: Scope, asks: LoopRequest, send: Send, request_id: bytes, began: float
    ) -> LoopAnswer | None:
        """What is answered instead of Django, if anything: its own answer is sent as it comes."""
        has_begun = False

        async def send_on(message: Message) -> None:
            nonlocal has_begun
            if not has_begun:
                has_begun = True
                message["headers"].append((b"x-request-id", request_id))
                note(scope["method"], scope["path"], message["status"], monotonic() - began)
            await send(message)

        try:
            await self._django(scope, asks, send_on)
        except (Exception, CancelledError) as error:
            if has_begun:
                raise
            answer = shaped(scope["path"], answer_to(error, asks))
            note(scope["method"], scope["path"], answer.status, monotonic() - began)
            return answer
        return None

    def _answer_at_once(self, scope: Scope, answer: LoopAnswer, asks: LoopRequest, request_id: bytes) -> bool:
        if self._adds_to_answers and b"origin" in asks.headers:
            return False  # who stands before this application has headers to add
        ours = self._heads[answer.content_type][1]
        head = b"%bcontent-length: %d\r\nx-request-id: %b\r\n" % (ours, len(answer.body), request_id)
        if more := self._more_headers(scope, answer, asks):
            head += _written(_encoded(more))
        return asks.exchange.answer(answer.status, head, answer.body)

    def _more_headers(self, scope: Scope, answer: LoopAnswer, asks: LoopRequest) -> Sequence[tuple[str, str]]:
        if self._https and (scope["scheme"] == "https" or asked_by_https(asks)):
            return [*answer.headers, *self._https]
        return answer.headers


def _encoded(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers]


def _written(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join([b"%b: %b\r\n" % header for header in headers])
