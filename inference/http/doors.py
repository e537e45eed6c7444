"""Which door answers a request: a prediction's, on the event loop, or Django's, in a thread; and errors before both."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Iterable
from time import monotonic

from django.conf import settings

from inference.http.bodies.request_body import Message, Receive, RequestBody, Scope, Send
from inference.http.loop_request import LoopAnswer, LoopRequest
from inference.http.observed import identify, note
from inference.http.predict_door import predict
from inference.http.request_state import ANSWER, REFUSAL
from inference.http.responses import answer_to, refused
from inference.http.security_headers import NO_PAGE, asked_by_https, strict_transport

Door = Callable[[LoopRequest], Awaitable[LoopAnswer]]

#: What is answered on the loop: only what waits for nothing else than a worker's answer.
ON_LOOP: dict[tuple[str, str], Door] = {("POST", "/predict"): predict}


class Doors:
    """The application. Each request has an id, and is noted for /metrics once, when its answer begins."""

    def __init__(self, django: Callable[[Scope, LoopRequest, Send], Awaitable[None]]) -> None:
        self._django = django
        self._headers = _encoded([("content-type", "application/json"), *NO_PAGE.items()])
        self._headers_of_https = _encoded(strict_transport(settings.SECURE_HSTS_SECONDS))
        self._head = _written(self._headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request.

        Raises:
            Exception: an answer that had begun broke off; the server is to end the connection.
        """
        began, request_id = monotonic(), identify(scope)
        asks = LoopRequest(scope, RequestBody(scope, receive))
        answer: LoopAnswer | None
        if (refusal := asks.state.get(REFUSAL)) is not None:
            answer = refused(*refusal)
            note(scope["method"], scope["path"], answer.status, None)
        elif (door := ON_LOOP.get((scope["method"], scope["path"]))) is not None:
            try:
                answer = await door(asks)
            except (Exception, CancelledError) as error:  # noqa: BLE001 - it is answered, and logged if it is a defect
                answer = answer_to(error, asks)
            note(scope["method"], scope["path"], answer.status, monotonic() - began)
        else:
            answer = await self._ask_django(scope, asks, send, request_id, began)
        if answer is not None:
            answer.headers.append((b"x-request-id", request_id))
            await self._send(scope, send, answer, asks)

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

    async def _send(self, scope: Scope, send: Send, answer: LoopAnswer, asks: LoopRequest) -> None:
        more = [(b"content-length", b"%d" % len(answer.body)), *answer.headers]
        if self._headers_of_https and (scope["scheme"] == "https" or asked_by_https(asks)):
            more += self._headers_of_https
        at_once = asks.state.pop(ANSWER, None)  # it knows the request, and would keep it for the garbage collector
        if at_once is not None and at_once(answer.status, self._head + _written(more), answer.body):
            return
        await send({"type": "http.response.start", "status": answer.status, "headers": [*self._headers, *more]})
        await send({"type": "http.response.body", "body": answer.body})


def _encoded(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers]


def _written(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join([b"%b: %b\r\n" % header for header in headers])
