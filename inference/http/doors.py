"""Which door answers a request: a prediction's, on the event loop, or Django's, in a thread; and errors before both."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Iterable
from time import monotonic

from django.conf import settings

from inference.http.bodies.request_body import Message, Receive, Scope, Send
from inference.http.loop_request import LoopAnswer, LoopRequest
from inference.http.observed import identify, note
from inference.http.predict_door import PredictDoor
from inference.http.responses import answer_to, refused
from inference.http.security_headers import NO_PAGE, asked_by_https, strict_transport

Door = Callable[[LoopRequest], Awaitable[LoopAnswer]]


class Doors:
    """The application. Each request has an id, and is noted for /metrics once, when its answer begins."""

    def __init__(self, django: Callable[[Scope, LoopRequest, Send], Awaitable[None]]) -> None:
        self._django = django
        #: What is answered on the loop: only what waits for nothing else than a worker's answer.
        self.on_loop: dict[tuple[str, str], Door] = {("POST", "/predict"): PredictDoor()}
        self._headers = _encoded([("content-type", "application/json"), *NO_PAGE.items()])
        self._head = b"".join([b"%b: %b\r\n" % header for header in self._headers])
        self._https = strict_transport(settings.SECURE_HSTS_SECONDS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request.

        Raises:
            Exception: an answer that had begun broke off; the server is to end the connection.
        """
        began, asks = monotonic(), LoopRequest(scope, receive)
        request_id = identify(scope, asks.META)
        answer: LoopAnswer | None
        if (refusal := asks.exchange.refusal) is not None:
            answer = refused(*refusal)
            note(scope["method"], scope["path"], answer.status, None)
        elif (door := self.on_loop.get((scope["method"], scope["path"]))) is not None:
            try:
                answer = await door(asks)
            except (Exception, CancelledError) as error:  # noqa: BLE001 - it is answered, and logged if it is a defect
                answer = answer_to(error, asks)
            note(scope["method"], scope["path"], answer.status, monotonic() - began)
        else:
            answer = await self._ask_django(scope, asks, send, request_id, began)
        if answer is not None:
            await self._send(scope, send, answer, asks, request_id)

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
            answer = answer_to(error, asks)
            note(scope["method"], scope["path"], answer.status, monotonic() - began)
            return answer
        return None

    async def _send(self, scope: Scope, send: Send, answer: LoopAnswer, asks: LoopRequest, request_id: bytes) -> None:
        more = answer.headers
        if self._https and (scope["scheme"] == "https" or asked_by_https(asks)):
            more = [*more, *self._https]
        head = b"%bcontent-length: %d\r\nx-request-id: %b\r\n" % (self._head, len(answer.body), request_id)
        if more:
            head += b"".join([b"%b: %b\r\n" % header for header in _encoded(more)])
        if asks.exchange.answer(answer.status, head, answer.body):
            return
        length = b"content-length", b"%d" % len(answer.body)
        headers = [*self._headers, length, (b"x-request-id", request_id), *_encoded(more)]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})


def _encoded(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers]
