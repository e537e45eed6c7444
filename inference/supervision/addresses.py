"""Where a server listens: reading `--bind`, finding out whether it is free, and picking free ports."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass, replace

from inference.supervision.errors import BindError

LOOPBACK = "127.0.0.1"
ANY_HOST = {"": LOOPBACK, "0.0.0.0": LOOPBACK, "::": "::1", "*": LOOPBACK}


@dataclass(frozen=True)
class Bind:
    """A host and a TCP port to listen on."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Bind:
        """Read `host:port`, `:port`, `port` or `[ipv6]:port`.

        Raises:
            BindError: it is none of these.
        """
        host, _, port = text.strip().rpartition(":")
        if not port.isascii() or not port.isdigit() or int(port) > 65535:
            raise BindError(f"{text!r} is no address to listen on: write it like 127.0.0.1:54321")
        return cls(host.removeprefix("[").removesuffix("]"), int(port))

    @classmethod
    def parse_whole(cls, text: str) -> Bind:
        """Read `host:port` or `[ipv6]:port`, of which nothing may be left out.

        Raises:
            BindError: it is none of these.
        """
        bind = cls.parse(text)
        if not bind.host or not bind.port:
            raise BindError(f"{text!r} is no address to listen on: write it like 127.0.0.1:54323")
        return bind

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The address a client on this machine uses."""
        return f"http://{Bind(ANY_HOST.get(self.host, self.host), self.port)}"

    def claim(self) -> Bind:
        """This address once it is known to be free, with a real port in place of port 0.

        Raises:
            BindError: something listens there already, or nobody may.
        """
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                self.host or LOOPBACK, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            with socket.socket(family, kind, protocol) as listener:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(address)
                return replace(self, port=listener.getsockname()[1])
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise BindError(f"{self} is taken by another program") from error
            raise BindError(f"cannot listen on {self}: {error.strerror or error}") from error


def free_ports(count: int) -> list[int]:
    """So many different TCP ports that nothing on the loopback interface listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind((LOOPBACK, 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
