"""A client's connection, read and written by a thread for a while; every wait has a deadline."""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from gateway_site.client_socket import GreenletSocket
from gateway_site.pace import Pace
from gateway_site.silent_clients import ClientTimeoutError, SilentClients

#: So much is sent before the time is looked at: the kernel waits for all of it to go.
PIECE_BYTES = 1024 * 1024


class ThreadSocket(socket.socket):
    """The connection as a thread uses it that answers one request; reads and writes have a deadline in the kernel."""

    _silent: SilentClients
    _pace: Pace
    _silent_seconds: float
    _cut = False

    @classmethod
    @contextmanager
    def borrowing(cls, client: GreenletSocket, silent: SilentClients) -> Iterator[ThreadSocket]:
        """The client's connection for the length of a block, in which its greenlet does not use it."""
        lent = os.dup(client.fileno())
        with cls(client.family, client.type, client.proto, fileno=lent) as borrowed:
            borrowed._silent, borrowed._pace, borrowed._silent_seconds = silent, client.pace, client.silent_seconds
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
            ClientTimeoutError: nothing for too long, or too little, or it was cut off.
        """
        try:
            received = super().recv(size, flags | socket.MSG_DONTWAIT)
        except BlockingIOError:
            received = self._wait_for_more(size, flags)
        self._pace.note(len(received))
        return received

    def _wait_for_more(self, size: int, flags: int) -> bytes:
        # Only who has to be waited for can be too slow: what is there may have waited for us.
        if self._pace.seconds_left <= 0:
            raise ClientTimeoutError
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

    def has_ended(self) -> bool:
        """Whether the client has ended its side, so that it may have gone; from any thread, without waiting."""
        try:
            return not super().recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Send everything; a client that does not read for too long counts as gone."""
        pace, rest = Pace(self._silent_seconds), memoryview(data)
        try:
            while rest:
                if pace.seconds_left <= 0:
                    raise ConnectionResetError(errno.EAGAIN, "the client does not read fast enough")
                sent = self.send(rest[:PIECE_BYTES], flags)
                pace.note(sent)
                rest = rest[sent:]
        except BlockingIOError as error:
            raise ConnectionResetError(error.errno, "the client does not read") from error

    def cut_off(self) -> None:
        """Wake the thread that waits for this client, for nothing."""
        self._cut = True
        with suppress(OSError):
            self.shutdown(socket.SHUT_RD)
