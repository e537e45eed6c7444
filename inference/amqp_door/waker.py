"""Waits for what arrives on a connection, or for a word from another thread, whichever is first.

A connection is for one thread alone, so the one that has it must be told when there is something to send on it.
"""

from __future__ import annotations

import select
import socket

import amqp
from kombu import Connection

from inference.dispatch.replies import DRAIN_SECONDS


class Waker:
    """A pair of sockets: what is written to one ends a wait at the other."""

    def __init__(self) -> None:
        self._heard, self._told = socket.socketpair()
        self._heard.setblocking(False)
        self._told.setblocking(False)

    def wake(self) -> None:
        """End the wait, or the next one; from any thread."""
        try:
            self._told.send(b"\0")
        except OSError:  # it has been told often enough, or waits no more
            pass

    def close(self) -> None:
        """Nobody waits any more."""
        self._heard.close()
        self._told.close()

    def drain(self, connection: Connection) -> None:
        """Take one message, or wait until there may be one, a moment at most.

        Raises:
            TimeoutError: there is none.
        """
        opened = connection.connection
        if not isinstance(opened, amqp.Connection):  # the in-process broker
            connection.drain_events(timeout=DRAIN_SECONDS)
            return
        try:
            connection.drain_events(timeout=0)
        except TimeoutError:  # all that had arrived has been read, so nothing hides in a buffer
            self._wait(opened.transport.sock.fileno())
            raise

    def _wait(self, descriptor: int) -> None:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.register(self._heard, select.POLLIN)
        poll.poll(DRAIN_SECONDS * 1000)
        try:
            self._heard.recv(4096)
        except BlockingIOError:
            pass
