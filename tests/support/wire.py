"""What goes over the wire, byte by byte: requests that no HTTP client sends, and all that comes back."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from tests.support.system import System


@dataclass(frozen=True)
class WireAnswer:
    """One answer, as it was sent; names of headers are in lower case."""

    status: str
    headers: tuple[tuple[str, str], ...]
    body: str

    @property
    def request_ids(self) -> list[str]:
        """Every `X-Request-ID` that it has."""
        return [value for name, value in self.headers if name == "x-request-id"]


def request(line: str, body: bytes = b"", *headers: str) -> bytes:
    """A request with its head; its length is said unless a header says how it is sent."""
    told = any(header.lower().startswith(("content-length", "transfer-encoding")) for header in headers)
    length = () if told else (f"Content-Length: {len(body)}",)
    return "\r\n".join((line, "Host: h", *headers, *length, "", "")).encode("latin-1") + body


def exchange(system: System, sent: bytes) -> list[WireAnswer]:
    """Send this on a connection of its own, and nothing more; the answers that come until it is closed."""
    with system.connect() as connection:
        return exchange_on(connection, sent)


def exchange_on(connection: socket.socket, sent: bytes) -> list[WireAnswer]:
    """As `exchange`, on an open connection."""
    connection.sendall(sent)
    received = bytearray()
    while more := connection.recv(65536):
        received += more
    return _read(bytes(received))


def _read(received: bytes) -> list[WireAnswer]:
    answers = []
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        status = line.split(" ")[1]
        if status == "100":
            received = rest
            continue
        headers = tuple((name.lower(), value.strip()) for name, _, value in (each.partition(":") for each in lines))
        length = int(dict(headers).get("content-length", len(rest)))
        answers.append(WireAnswer(status, headers, rest[:length].decode()))
        received = rest[length:]
    return answers
