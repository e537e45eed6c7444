"""Sends a case on a connection of its own, and reads until the gateway ends it."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from time import monotonic, sleep

from tests.fuzz.http.case import Case, Ending

BETWEEN_PIECES_SECONDS = 0.003
RECEIVED_BYTES_MAX = 64 * 1024**2


class HangError(Exception):
    """The gateway neither answered nor closed in time."""


def exchange(address: tuple[str, int], case: Case, seconds: float) -> bytes:
    """What came back until the connection was closed.

    Raises:
        HangError: it was not within `seconds`.
    """
    end = monotonic() + seconds
    with socket.create_connection(address, seconds) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A gateway that refuses may close before it has read everything: its answer is there nevertheless.
        with suppress(OSError):
            for number, piece in enumerate(case.pieces):
                if number:
                    sleep(BETWEEN_PIECES_SECONDS)
                connection.sendall(piece)
            _end(connection, case.ending)
        if case.ending in (Ending.LEAVES, Ending.RESETS):
            return b""
        return _read(connection, end)


def _end(connection: socket.socket, ending: Ending) -> None:
    if ending is Ending.ENDS:
        connection.shutdown(socket.SHUT_WR)
    elif ending is Ending.RESETS:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _read(connection: socket.socket, end: float) -> bytes:
    received = bytearray()
    while len(received) < RECEIVED_BYTES_MAX:
        seconds = end - monotonic()
        if seconds <= 0:
            raise HangError(f"no end in time; so far {bytes(received[:200])!r}")
        connection.settimeout(seconds)
        try:
            more = connection.recv(65536)
        except TimeoutError as error:
            raise HangError(f"no end in time; so far {bytes(received[:200])!r}") from error
        except ConnectionError:
            break
        if not more:
            break
        received += more
    return bytes(received)
