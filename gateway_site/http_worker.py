"""gunicorn's threaded worker for clients that nobody vouches for: none holds a thread for ever, all errors are JSON.

A read or a write that moves no byte for PIPELINE_CLIENT_TIMEOUT ends the connection, and when more than half of the
threads wait for bytes, the client that has been silent longest is cut off at once. A client that trickles goes on.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import Any

from gunicorn import util
from gunicorn.workers import gthread

from inference.supervision.options import read_gateway_options

#: A new connection holds a thread so long for its first byte; then the poller waits for it.
FIRST_BYTE_SECONDS = 0.1
#: After a last answer, so long and so much is read: closing on unread bytes would take the answer from the client.
LINGER_SECONDS = 2.0
LINGER_BYTES = 64 * 1024


class ClientTimeoutError(BaseException):
    """The client sent nothing for too long; no application code may take it for a failure of its own."""


class SilentClients:
    """The clients that threads wait for, the longest silent first; one more than `limit` cuts that one off."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waited_for: dict[ClientSocket, None] = {}
        self._lock = threading.Lock()

    @property
    def count(self) -> int:
        """How many threads wait for a client now."""
        return len(self._waited_for)

    @contextmanager
    def waiting(self, client: ClientSocket) -> Iterator[None]:
        """Count the client as silent while the block runs."""
        with self._lock:
            if len(self._waited_for) >= self._limit:
                longest = next(iter(self._waited_for))
                del self._waited_for[longest]
                longest.cut_off()
            self._waited_for[client] = None
        try:
            yield
        finally:
            with self._lock:
                self._waited_for.pop(client, None)


class ClientSocket(socket.socket):
    """An accepted connection whose reads and writes have a deadline each, kept by the kernel: set once, free later."""

    _silent: SilentClients
    _cut: bool
    _done: bool

    @classmethod
    def taking_over(cls, accepted: socket.socket, timeout_seconds: float, silent: SilentClients) -> ClientSocket:
        """The same connection; `accepted` is of no use afterwards."""
        client = cls(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
        client._silent = silent
        client._cut = client._done = False
        seconds, fraction = divmod(timeout_seconds, 1)
        timeval = struct.pack("@ll", int(seconds), int(fraction * 1_000_000))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval)
        return client

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """What the client has sent.

        Raises:
            ClientTimeoutError: nothing for too long. With a timeout of the caller's own (`settimeout`), a TimeoutError.
        """
        if self._done:
            return b""
        callers_own = self.gettimeout() is not None
        if not callers_own:
            with suppress(BlockingIOError):
                received = super().recv(size, flags | socket.MSG_DONTWAIT)
                self._done = not received
                return received
        with self._silent.waiting(self):
            try:
                received = super().recv(size, flags)
            except BlockingIOError as error:
                raise ClientTimeoutError from error
        if self._cut and not callers_own:
            raise ClientTimeoutError
        self._done = not received
        return received

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Send everything; a client that does not read for too long counts as gone."""
        try:
            super().sendall(data, flags)
        except BlockingIOError as error:
            raise ConnectionResetError(error.errno, "the client does not read") from error

    def cut_off(self) -> None:
        """Wake the thread that waits for this client, for nothing."""
        self._cut = True
        with suppress(OSError):
            self.shutdown(socket.SHUT_RD)

    def say_goodbye(self) -> None:
        """End the answers, and wait a moment for the client to close; gunicorn then closes without waiting itself.

        It would wait in the one thread that accepts connections.
        """
        if self._done:
            return
        end, left = time.monotonic() + LINGER_SECONDS, LINGER_BYTES
        with suppress(OSError):
            self.shutdown(socket.SHUT_WR)
            while left > 0 and (seconds := end - time.monotonic()) > 0:
                self.settimeout(seconds)
                received = len(self.recv(4096))
                if not received:
                    break
                left -= received
        self._done = True


class HttpWorker(gthread.ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Serves requests in threads, none of which a client can keep."""

    def init_process(self) -> None:
        """Begin to serve."""
        self._client_timeout_seconds = read_gateway_options().client_timeout_seconds
        self._silent = SilentClients(max(1, self.cfg.threads // 2))
        super().init_process()

    def handle(self, conn: Any) -> Any:
        """Answer one request, in a thread; returns whether the connection stays."""
        if not isinstance(conn.sock, ClientSocket):
            conn.sock = ClientSocket.taking_over(conn.sock, self._client_timeout_seconds, self._silent)
        if not (conn.initialized or conn.data_ready or conn.wait_for_data(FIRST_BYTE_SECONDS)):
            return gthread._DEFER
        try:
            stays = super().handle(conn)
        except ClientTimeoutError:
            self.log.debug("A client sent nothing for too long: its connection is closed.")
            with suppress(OSError):
                write_error(conn.sock, HTTPStatus.REQUEST_TIMEOUT, "", "the rest of the request did not come in time")
            stays = False
        if not stays:
            conn.sock.say_goodbye()
        return stays

    def murder_keepalived(self, force: bool = False) -> None:
        """Close idle connections that are due; when all are taken, the one that has been idle longest is due."""
        if self.nr_conns >= self.worker_connections:
            idle = self.pending_conns or self.keepalived_conns
            if idle:
                idle[0].timeout = 0.0
        super().murder_keepalived(force)


def write_error(client: socket.socket, status: int, reason: str, message: str) -> None:
    """Answer a request that never reaches the application, in the shape of every other error."""
    phrase = HTTPStatus(status).phrase
    body = json.dumps({"status": False, "message": message or reason or phrase})
    head = f"HTTP/1.1 {int(status)} {phrase}\r\nConnection: close\r\nContent-Type: application/json\r\n"
    util.write_nonblock(client, f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode("ascii"))


# Every worker of gunicorn writes its own errors by this name, as HTML.
util.write_error = write_error
