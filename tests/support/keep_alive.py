"""A cheap HTTP client for load: one kept connection, requests that are written beforehand, JSON answers."""

from __future__ import annotations

import select
import socket
from typing import Any
from urllib.parse import urlsplit

import orjson


def post_request(url: str, path: str, body: Any) -> bytes:
    """A POST of a JSON body, as it goes over the wire."""
    return post_bytes(url, path, orjson.dumps(body), "Content-Type: application/json\r\n")


def post_bytes(url: str, path: str, content: bytes, headers: str = "") -> bytes:
    """A POST of any body, as it goes over the wire."""
    head = f"POST {path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\n{headers}"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


class KeptConnection:
    """One connection, opened when first needed and again after an error; for one thread."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "", parts.port or 80)
        self._timeout_seconds = timeout_seconds
        self._socket: socket.socket | None = None

    def ask(self, request: bytes) -> tuple[int, Any]:
        """The status code and the JSON of the answer to a request; raises as `exchange` does."""
        status, body = self.exchange(request)
        return status, orjson.loads(body)

    def exchange(self, request: bytes) -> tuple[int, bytes]:
        """The status code and the body of the answer to a request.

        Raises:
            OSError: nobody answers, or the connection broke; the next call opens another.
            ValueError: the answer is none that we can read.
        """
        if self._socket is not None and _is_closed(self._socket):
            self.close()  # between two requests, as every client looks
        if self._socket is None:
            self._socket = socket.create_connection(self._address, self._timeout_seconds)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self._socket.sendall(request)
            head, body = self._receive(self._socket)
        except (OSError, ValueError):
            self.close()
            raise
        if b"\r\nconnection: close" in head.lower():
            self.close()
        return int(head[9:12]), body

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    @staticmethod
    def _receive(connection: socket.socket) -> tuple[bytes, bytes]:
        received = bytearray()
        while (head_end := received.find(b"\r\n\r\n")) < 0:
            received += _more(connection)
        head = bytes(received[:head_end])
        end = head_end + 4 + _content_length(head)
        while len(received) < end:
            received += _more(connection)
        return head, bytes(received[head_end + 4 : end])


def _is_closed(connection: socket.socket) -> bool:
    """Whether the other side has closed an idle connection: nothing else can be there to read."""
    looking = select.poll()  # takes any descriptor, also beyond 1024
    looking.register(connection, select.POLLIN)
    return bool(looking.poll(0))


def _more(connection: socket.socket) -> bytes:
    more = connection.recv(65536)
    if not more:
        raise ConnectionError("the gateway closed the connection in the middle of an answer")
    return more


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise ValueError(f"an answer without Content-Length: {head!r}")
