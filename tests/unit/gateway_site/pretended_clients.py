"""Clients of a gateway's connections without a socket between them, and a loop and a clock that are turned by hand."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import orjson
from uvicorn.config import Config

from gateway_site.http_protocol import ClientConnection
from gateway_site.http_worker import LOOK_SECONDS, GatewayServer, HttpWorker
from inference.errors import NotFoundError
from inference.http.bodies.request_body import Scope, Send
from inference.http.doors import Doors
from inference.http.loop_request import LoopRequest
from tests.fuzz.http.answers import Answer, read_answers

GET = b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n"
LAST = b"GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
POST = b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
CHUNKED = b"POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"
HEAD = b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n"
HALF = HEAD % 10 + b"12345"
SMALL, LARGE = 64 * 1024, 1024 * 1024


def with_header(header: bytes, request: bytes = GET) -> bytes:
    """A request with one header more."""
    return request.replace(b"Host: h\r\n", b"Host: h\r\n" + header + b"\r\n")


SILENT_SECONDS, IDLE_SECONDS, CONNECTIONS_MAX = 10.0, 75.0, 20
#: uvloop's: with so much unread an answer waits for its reader, and goes on with so little.
HIGH_WATER, LOW_WATER = 64 * 1024, 16 * 1024
#: A loop that still has something to do after so many turns will always have.
TURNS_MAX = 10_000


class TurnedLoop(asyncio.SelectorEventLoop):
    """Its time passes, and it does something, when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.failures: list[dict[str, Any]] = []
        self.set_exception_handler(lambda _, failure: self.failures.append(failure))

    def time(self) -> float:
        return self.now

    def turn(self) -> None:
        """Do all there is to do."""
        for _ in range(TURNS_MAX):
            self.call_soon(self.stop)
            self.run_forever()
            if not self._ready:  # type: ignore[attr-defined]  # what asyncio's own loops have to do
                return
        raise AssertionError("the loop is never done")


class Application:
    """What Django would answer: what it has been sent, or what a test wants; and when a test wants it."""

    def __init__(self) -> None:
        self.asked: list[Scope] = []
        self.reads = True
        self.refuses = ""
        self.pieces: list[bytes] = []
        self._may_answer = asyncio.Event()
        self._may_answer.set()

    def hold(self) -> None:
        """Answer nobody for now."""
        self._may_answer.clear()

    def release(self) -> None:
        """Answer all."""
        self._may_answer.set()

    async def __call__(self, scope: Scope, asks: LoopRequest, send: Send) -> None:
        self.asked.append(scope)
        body = await asks.body.read() if self.reads else b""
        await self._may_answer.wait()
        if self.refuses:
            raise NotFoundError(self.refuses)
        told = {"method": scope["method"], "path": scope["path"], "body": body.decode("latin-1")}
        pieces = self.pieces or [orjson.dumps(told)]
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % sum(map(len, pieces)))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body"})


class Transport:
    """A connection as uvloop has it: what is written waits until the client reads it."""

    def __init__(self, loop: TurnedLoop) -> None:
        self._loop = loop
        self.protocol: Any = None
        self.written = bytearray()
        self.is_read, self.has_tls = True, False
        self.reading, self.has_ended, self.is_aborted, self.is_lost = True, False, False, False
        self._closing = self._paused = False
        self.unread = 0

    def write(self, data: bytes) -> None:
        assert not self.has_ended
        assert not self.is_lost, "uvloop raises RuntimeError"
        if self._closing:
            return
        self.written += data
        self.unread += 0 if self.is_read else len(data)
        if self.unread > HIGH_WATER and not self._paused:
            self._paused = True
            self.protocol.pause_writing()

    def read(self, size: int) -> None:
        """The client reads so much."""
        self.unread = max(0, self.unread - size)
        if self._paused and self.unread <= LOW_WATER:
            self._paused = False
            self.protocol.resume_writing()
        if self._closing and not self.unread:
            self.lose(None)

    def get_write_buffer_size(self) -> int:
        return self.unread

    def can_write_eof(self) -> bool:
        return not self.has_tls

    def write_eof(self) -> None:
        assert not self.has_tls
        self.has_ended = True

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            if not self.unread:
                self.lose(None)

    def abort(self) -> None:
        self._closing = self.is_aborted = True
        self.lose(None)

    def lose(self, error: Exception | None) -> None:
        """The connection ends."""
        if not self.is_lost:
            self._loop.call_soon(self._tell_lost, error)

    def _tell_lost(self, error: Exception | None) -> None:
        if not self.is_lost:
            self.is_lost = True
            self.protocol.connection_lost(error)

    def is_closing(self) -> bool:
        return self._closing

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def get_extra_info(self, name: str) -> Any:
        return {"peername": ("192.0.2.7", 40001), "sockname": ("192.0.2.1", 54321)}.get(name)


class Client:
    """One client and its connection."""

    def __init__(self, gateway: Gateway, connection: ClientConnection, transport: Transport) -> None:
        self.gateway, self.connection, self.transport = gateway, connection, transport
        self._on_its_way: deque[bytes] = deque()

    def sends(self, *pieces: bytes) -> Client:
        """Send; what the gateway does not read now, it reads when it reads again."""
        for piece in pieces:
            self._on_its_way.append(piece)
            self.gateway.turn()
        return self

    def deliver(self) -> bool:
        """Let the gateway read what it wants to read; tells whether it has."""
        if not self._on_its_way or not self.transport.reading or self.transport.is_closing():
            return False
        self.connection.data_received(self._on_its_way.popleft())
        return True

    def ends(self) -> None:
        """End its side."""
        if not self.connection.eof_received():
            self.transport.close()
        self.gateway.turn()

    def resets(self) -> None:
        """Go at once."""
        self.transport.lose(ConnectionResetError())
        self.gateway.turn()

    def reads(self, size: int) -> None:
        """Read so much of what waits for it."""
        self.transport.read(size)
        self.gateway.turn()

    def reads_nothing(self) -> Client:
        """From now on what is written waits for it."""
        self.transport.is_read = False
        return self

    @property
    def received(self) -> bytes:
        return bytes(self.transport.written)

    @property
    def answers(self) -> list[Answer]:
        return read_answers(self.received)

    @property
    def statuses(self) -> list[int]:
        return [answer.status for answer in self.answers]

    @property
    def is_there(self) -> bool:
        """Whether it may go on asking."""
        return not (self.transport.has_ended or self.transport.is_closing() or self.transport.is_lost)


class Gateway:
    """A gateway process as its clients see it."""

    def __init__(self, loop: TurnedLoop) -> None:
        self.loop, self.application = loop, Application()
        self._config = Config(Doors(self.application), log_config=None, **HttpWorker.CONFIG_KWARGS)
        worker: Any = SimpleNamespace(config=self._config, notify=self._beat)
        self.process = GatewayServer(worker)
        #: How often it has told gunicorn that it lives.
        self.beats = 0
        self.state = self.process.server_state
        self.logs_access = False
        self._clients: list[Client] = []

    def _beat(self) -> None:
        self.beats += 1

    def connect(self) -> Client:
        """One more client."""
        connection, transport = ClientConnection(self._config, self.state, {}, _loop=self.loop), Transport(self.loop)
        connection.access_log = self.logs_access
        transport.protocol = connection
        client = Client(self, connection, transport)
        connection.connection_made(transport)  # type: ignore[arg-type]  # it is one
        self._clients.append(client)
        self.turn()
        return client

    def turn(self) -> None:
        """Do all there is to do."""
        self.loop.turn()
        while sum(client.deliver() for client in self._clients):
            self.loop.turn()

    def wait(self, seconds: float) -> None:
        """Let time pass, and look after the clients as the server does."""
        for _ in range(round(seconds / LOOK_SECONDS)):
            self.loop.now += LOOK_SECONDS
            self.turn()
            self.process.look_at_clients(self.loop.now, LOOK_SECONDS)
            self.turn()

    def stop(self) -> None:
        """Be told to end."""
        for connection in list(self.state.connections):
            connection.shutdown()


@contextmanager
def pretended_gateway() -> Iterator[Gateway]:
    """One for the length of a block; nothing fails in its loop."""
    loop = TurnedLoop()
    try:
        gateway = Gateway(loop)
        yield gateway
        gateway.application.release()
        for connection in list(gateway.state.connections):
            connection.abort()  # type: ignore[union-attr]  # one of ours
        gateway.turn()
        assert not gateway.state.tasks
        assert not gateway.state.connections
        assert loop.failures == []
    finally:
        loop.close()
