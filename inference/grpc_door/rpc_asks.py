"""A call over gRPC, as those see it who decide about requests: its metadata by the names that headers have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

from inference.access.client_address import client_address
from inference.http.authentication import token_of
from inference.http.loop_request import meta_name


class RpcAsks:
    """Who asks."""

    __slots__ = ("META",)

    def __init__(self, metadata: Iterable[tuple[str, str | bytes]], peer: str) -> None:
        self.META: dict[str, Any] = {"REMOTE_ADDR": address_of(peer)}
        for key, value in metadata:
            if isinstance(value, str) and "_" not in key:  # behind headers' names it is the same as one with `-`
                name = meta_name(key.encode())
                # Several of one name are put together as headers are, so that they are not taken for one.
                self.META[name] = f"{self.META[name]}, {value}" if name in self.META else value


def address_of(peer: str) -> str:
    """The host of what gRPC calls a peer: `ipv4:192.0.2.1:50000`, or `ipv6:%5B::1%5D:50000`."""
    return unquote(peer.partition(":")[2]).rpartition(":")[0].strip("[]")


def asker(asks: RpcAsks) -> str:
    """Who asks, for the record: the token's name, or else the client's address."""
    token = token_of(asks)
    return token.name if token else client_address(asks)
