"""A client's connection, read and written by a greenlet of the server's loop; every wait has a deadline."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import gevent
import gevent.socket

from gateway_site.pace import Pace
from gateway_site.silent_clients import ClientTimeoutError, SilentClients

#: After a last answer, so long and so much is read: closing on unread bytes would take the answer from the client.
LINGER_SECONDS = 2.0
LINGER_BYTES = 64 * 1024
#: Most bytes that a greenlet reads in one turn: gunicorn throws away what nobody reads in small pieces, slowly.
TURN_BYTES = 64 * 1024


class GreenletSocket(gevent.socket.socket):
    """An accepted connection in the server's loop. Between requests it may be silent for `idle_seconds`, in the middle
    of one for `silent_seconds`; and a request has a deadline, see `Pace`.
    """

    silent_seconds: float
    idle_seconds: float
    pace: Pace
    _sock: Any
    _idle: SilentClients
    _arriving: SilentClients
    _readable: Any
    _gathered: list[bytes] | None
    _between_requests: bool
    _ended: bool
    _cut: bool

    @classmethod
    def taking_over(
        cls, accepted: Any, silent_seconds: float, idle_seconds: float, idle: SilentClients, arriving: SilentClients
    ) -> GreenletSocket:
        """The same connection; `accepted` is of no use afterwards.

        `idle` are those that wait for a next request, `arriving` those whose request has come in part.
        """
        client = cls(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
        client.silent_seconds, client.idle_seconds = silent_seconds, idle_seconds
        client._idle, client._arriving = idle, arriving
        client._between_requests, client._ended, client._cut = True, False, False
        client.pace = Pace(silent_seconds)
        client._readable, client._gathered = gevent.get_hub().loop.io(client.fileno(), 1), None
        return client

    def await_request(self, begun: bool = False) -> None:
        """The request is answered: what comes now is the next one, of which a part may be there already."""
        self._between_requests = not begun
        if begun:
            self.pace = Pace(self.silent_seconds)

    def recv(self, size: int, flags: int = 0) -> bytes:
        """What the client has sent; nothing when it has ended, or waited too long with its next request.

        Raises:
            ClientTimeoutError: nothing came for too long in the middle of a request, or too little, or it was cut off.
        """
        if self._ended:
            return b""
        received: bytes
        if self._between_requests:
            received = self._recv_first(size, flags)
            self._between_requests, self.pace = False, Pace(self.silent_seconds)
        else:
            received = self._recv_more(size, flags)
        self._ended = not received
        return received

    def _recv_more(self, size: int, flags: int) -> bytes:
        seconds = min(self.silent_seconds, self.pace.seconds_left)
        if seconds <= 0:
            raise ClientTimeoutError
        self._arriving.add(self)
        try:
            received = self._recv_in_turn(size, flags, seconds)
        except TimeoutError as error:
            raise ClientTimeoutError from error
        if self._cut:
            raise ClientTimeoutError
        self.pace.note(len(received))
        return received

    def has_arrived(self) -> None:
        """All of the request is there, or what is still to come is a thread's to read."""
        self._arriving.remove(self)

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

    def has_ended(self) -> bool:
        """Whether the client has ended its side, so that it may have gone; from any thread, without waiting."""
        try:
            return not self._sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

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
            if sent < len(data):
                self._send_rest(memoryview(data)[sent:], flags)
        except TimeoutError as error:
            raise ConnectionResetError("the client does not read") from error

    def _send_rest(self, data: memoryview, flags: int) -> None:
        pace = Pace(self.silent_seconds)
        while data:
            if pace.seconds_left <= 0:
                raise TimeoutError
            self.settimeout(min(self.silent_seconds, pace.seconds_left))
            sent = self.send(data, flags)
            pace.note(sent)
            data = data[sent:]

    def cut_off(self) -> None:
        """Wake the greenlet that waits for this client, for nothing."""
        self._cut = True
        with suppress(OSError):
            self.shutdown(socket.SHUT_RD)

    def close(self) -> None:
        """End the answers, wait a moment for the client to close, and close."""
        self._arriving.remove(self)
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
