"""A request to the application as a gateway process has it, without the server before it: what is answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connections
from django.utils.datastructures import CaseInsensitiveMapping

from gateway_site.asgi import django
from inference.errors import ClientTimeoutError, InferenceError
from inference.http.bodies.request_body import Message
from inference.http.django_door import DjangoDoor
from inference.http.doors import Doors
from inference.http.exchange import EXCHANGE, Exchange
from inference.http.loop_request import LoopRequest

JSON = {"Content-Type": "application/json"}
THREADS = 4
DEADLINE = 30


@dataclass(frozen=True)
class Answered:
    """An answer."""

    status_code: int
    headers: CaseInsensitiveMapping[str]
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content)


class Asked:
    """A request, and the server's part in it: gives the body piece by piece, keeps what is answered.

    A body in one piece says how long it is, one in `pieces` does not unless the headers do. With a `fault` it ends
    there, before its time; `gone` is a client that has closed the connection then.
    """

    def __init__(
        self,
        path: str = "/predict",
        body: bytes = b"",
        method: str = "POST",
        pieces: Sequence[bytes] | None = None,
        headers: dict[str, str] | None = None,
        more_headers: Iterable[tuple[bytes, bytes]] = (),
        client: str = "127.0.0.1",
        scheme: str = "http",
        exchange: Exchange | None = None,
        refusal: tuple[int, str] | None = None,
        fault: InferenceError | None = None,
        gone: bool = False,
    ) -> None:
        self.pieces = [body] if pieces is None else list(pieces)
        framing = {"Content-Length": str(len(body))} if pieces is None else {"Transfer-Encoding": "chunked"}
        said = CaseInsensitiveMapping({**JSON, "Host": "testserver", **(headers or {})})
        if "Content-Length" not in said:
            said = CaseInsensitiveMapping({**dict(said.items()), **framing})
        self.exchange = exchange or Exchange()
        self.exchange.refusal = refusal
        self._fault, self._gone = fault, gone
        path, _, query = path.partition("?")
        self.scope: dict[str, Any] = {
            "type": "http", "http_version": "1.1", "method": method, "path": path, "query_string": query.encode(),
            "root_path": "", "scheme": scheme, "server": ("127.0.0.1", 54321), "client": (client, 40001),
            "headers": [*(header(name, value) for name, value in said.items()), *more_headers],
            "state": {EXCHANGE: self.exchange},
        }  # fmt: skip
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        """The next piece of the body."""
        if not self.pieces:
            assert self._gone, "the body was read to its end"
            return {"type": "http.disconnect"}
        piece = self.pieces.pop(0)
        ends = not self.pieces and not self._gone
        if ends and self._fault:
            self.exchange.fault = self._fault
        return {"type": "http.request", "body": piece, "more_body": not ends}

    async def send(self, message: Message) -> None:
        """A part of the answer."""
        self.sent.append(message)

    def on_loop(self) -> LoopRequest:
        """The request as those see it who answer it on the loop."""
        return LoopRequest(self.scope, self.receive)

    @property
    def answered(self) -> Answered:
        """All of the answer."""
        start, *parts = self.sent
        assert start["type"] == "http.response.start"
        assert [part["type"] for part in parts] == ["http.response.body"] * len(parts)
        assert [part.get("more_body", False) for part in parts] == [True] * (len(parts) - 1) + [False]
        headers = CaseInsensitiveMapping({name.decode(): value.decode() for name, value in start["headers"]})
        content = b"".join(part.get("body", b"") for part in parts)
        assert int(headers.get("Content-Length", len(content))) == len(content) or self.scope["method"] == "HEAD"
        return Answered(start["status"], headers, content)


class SlowClient(Asked):
    """One whose last piece does not come before it is let go on; it may be cut off."""

    def __init__(self, path: str = "/predict", pieces: Sequence[bytes] = (), **more: Any) -> None:
        headers = {"Content-Length": str(sum(map(len, pieces))), **more.pop("headers", {})}
        super().__init__(path, pieces=pieces, headers=headers, **more)
        self.exchange.cut_off = self._cut_off  # type: ignore[method-assign]
        self.goes_on = asyncio.Event()
        self.is_waited_for = asyncio.Event()

    def _cut_off(self) -> None:
        self.exchange.fault = ClientTimeoutError("cut off")
        self.pieces = [b""]
        self.goes_on.set()

    async def receive(self) -> Message:
        """The next piece, whenever it comes."""
        if len(self.pieces) == 1 and not self.goes_on.is_set():
            self.is_waited_for.set()
            await asyncio.wait_for(self.goes_on.wait(), DEADLINE)
        return await super().receive()


def header(name: str, value: str) -> tuple[bytes, bytes]:
    """As a server has it."""
    return name.lower().encode(), value.encode("latin-1")


@contextmanager
def application(threads: int = THREADS) -> Iterator[Doors]:
    """The application, as `gateway_site/asgi.py` has it; Django's threads use the test's own connections."""
    here = connections.all()
    for connection in here:
        connection.inc_thread_sharing()
    for signal in (request_started, request_finished):  # Django's own client does without, too
        signal.disconnect(close_old_connections)

    def django_here(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        for connection in here:
            connections[connection.alias] = connection
        return django(environ, start_response)

    door = DjangoDoor(django_here, threads)  # type: ignore[arg-type]  # it is one, in all that matters
    try:
        yield Doors(door)
    finally:
        door.close()
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)
        for connection in here:
            connection.dec_thread_sharing()


def ask(*about: Any, **more: Any) -> Answered:
    """What is answered to a request, see `Asked`."""
    asked = Asked(*about, **more)
    answer_all(asked)
    return asked.answered


def answer_all(*requests: Asked, threads: int = THREADS) -> None:
    """Have requests answered that are there at the same time."""

    async def answer() -> None:
        await asyncio.gather(*(answers(asked.scope, asked.receive, asked.send) for asked in requests))

    with application(threads) as answers:
        asyncio.run(answer())
