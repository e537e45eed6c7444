"""A client's connection, read and written by a greenlet or, for a while, by a thread; every wait has a deadline."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import gevent
import gevent.socket

#: After a last answer, so long and so much is read: closing on unread bytes would take the answer from the client.
LINGER_SECONDS = 2.0
LINGER_BYTES = 64 * 1024
#: Most bytes that a greenlet reads in one turn: gunicorn throws away what nobody reads in small pieces, slowly.
TURN_BYTES = 64 * 1024


class ClientTimeoutError(BaseException):
    """The client sent nothing for too long; no application code may take it for a failure of its own."""


class SilentClients:
    """The clients that are waited for, the longest silent first; one more than `limit` cuts that one off."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._waited_for: dict[GreenletSocket | ThreadSocket, None] = {}
        self._lock = threading.Lock()

    @property
    def count(self) -> int:
        """How many clients are waited for now."""
        return len(self._waited_for)

    def add(self, client: GreenletSocket | ThreadSocket) -> None:
        """Count the client as silent from now on."""
        with self._lock:
            if len(self._waited_for) >= self.limit:
                self._cut_off_longest()
            self._waited_for[client] = None

    def remove(self, client: GreenletSocket | ThreadSocket) -> None:
        """The client is silent no more."""
        with self._lock:
            self._waited_for.pop(client, None)

    def cut_off(self, most: int) -> None:
        """Cut off the longest silent clients, at most so many."""
        with self._lock:
            for _ in range(min(most, len(self._waited_for))):
                self._cut_off_longest()

    def _cut_off_longest(self) -> None:
        longest = next(iter(self._waited_for))
        del self._waited_for[longest]
        longest.cut_off()


class GreenletSocket(gevent.socket.socket):
    """An accepted connection in the server's loop. Between requests it may be silent for `idle_seconds`, in the middle
    of one for `silent_seconds`.
    """

    silent_seconds: float
    idle_seconds: float
    _idle: SilentClients
    _readable: Any
    _gathered: list[bytes] | None
    _between_requests: bool
    _ended: bool

    @classmethod
    def taking_over(
        cls, accepted: Any, silent_seconds: float, idle_seconds: float, idle: SilentClients
    ) -> GreenletSocket:
        """The same connection; `accepted` is of no use afterwards. `idle` are those that wait for a next request."""
        client = cls(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
        client.silent_seconds, client.idle_seconds, client._idle = silent_seconds, idle_seconds, idle
        client._between_requests, client._ended = True, False
        client._readable, client._gathered = gevent.get_hub().loop.io(client.fileno(), 1), None
        return client

    def await_request(self) -> None:
        """The request is answered: what comes now is the next one."""
        self._between_requests = True

    def recv(self, size: int, flags: int = 0) -> bytes:
        """What the client has sent; nothing when it has ended, or waited too long with its next request.

        Raises:
            ClientTimeoutError: nothing came for too long in the middle of a request.
        """
        if self._ended:
            return b""
        received: bytes
        if self._between_requests:
            received = self._recv_first(size, flags)
            self._between_requests = False
        else:
            try:
                received = self._recv_in_turn(size, flags, self.silent_seconds)
            except TimeoutError as error:
                raise ClientTimeoutError from error
        self._ended = not received
        return received

    def _recv_first(self, size: int, flags: int) -> bytes:
        self._idle.add(self)
        try:
            return self._recv_in_turn(size, flags, self.idle_seconds)
        except TimeoutError:
            return b""
        finally:
            self._idle.remove(self)

    def _recv_in_turn(self, size: int, flags: int, seconds: float) -> bytes:
        """Even when something is there already, and it may always be, the other connections have their turn first."""
        gevent.socket.wait(self._readable, seconds, TimeoutError)
        self.settimeout(seconds)
        received: bytes = super().recv(min(size, TURN_BYTES), flags)
        return received

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Send all that is sent in the block at once, at its end: gunicorn sends an answer's head by itself."""
        gathered: list[bytes] = []
        self._gathered = gathered
        try:
            yield
        finally:
            self._gathered = None
            if gathered:
                self.sendall(b"".join(gathered))

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send everything; a client that does not read for too long counts as gone."""
        if self._gathered is not None:
            self._gathered.append(data)
            return
        self.settimeout(self.silent_seconds)
        try:
            # gevent's own sendall has one deadline for everything, also for a client that reads, but slowly.
            sent = self.send(data, flags)
            while sent < len(data):
                sent += self.send(memoryview(data)[sent:], flags)
        except TimeoutError as error:
            raise ConnectionResetError("the client does not read") from error

    def cut_off(self) -> None:
        """Wake the greenlet that waits for this client, for nothing."""
        with suppress(OSError):
            self.shutdown(socket.SHUT_RD)

    def close(self) -> None:
        """End the answers, wait a moment for the client to close, and close."""
        if not self._ended:
            self._ended = True
            self._say_goodbye()
        self._readable.close()
        super().close()

    def _say_goodbye(self) -> None:
        end, left = time.monotonic() + LINGER_SECONDS, LINGER_BYTES
        with suppress(OSError):
            self.shutdown(socket.SHUT_WR)
            while left > 0 and (seconds := end - time.monotonic()) > 0:
                self.settimeout(seconds)
                received = len(super().recv(4096))
                if not received:
                    break
                left -= received


class ThreadSocket(socket.socket):
    """The connection as a thread uses it that answers one request; reads and writes have a deadline in the kernel."""

    _silent: SilentClients
    _cut = False

    @classmethod
    @contextmanager
    def borrowing(cls, client: GreenletSocket, silent: SilentClients) -> Iterator[ThreadSocket]:
        """The client's connection for the length of a block, in which its greenlet does not use it."""
        lent = os.dup(client.fileno())
        with cls(client.family, client.type, client.proto, fileno=lent) as borrowed:
            borrowed._silent = silent
            borrowed.limit_waits(client.silent_seconds)
            borrowed.setblocking(True)
            try:
                yield borrowed
            finally:
                # Both have one file description, so this is the greenlet's as well.
                borrowed.setblocking(False)

    def limit_waits(self, seconds: float) -> None:
        """Let the kernel end a read or write that waits longer: set once, free later."""
        whole, fraction = divmod(seconds, 1)
        timeval = struct.pack("@ll", int(whole), int(fraction * 1_000_000))
        self.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval)
        self.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval)

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """What the client has sent.

        Raises:
            ClientTimeoutError: nothing for too long, or it was cut off.
        """
        with suppress(BlockingIOError):
            return super().recv(size, flags | socket.MSG_DONTWAIT)
        self._silent.add(self)
        try:
            received = super().recv(size, flags)
        except BlockingIOError as error:
            raise ClientTimeoutError from error
        finally:
            self._silent.remove(self)
        if self._cut:
            raise ClientTimeoutError
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
