"""Whether who asks needs a token: on loopback nobody does, unless told so; anywhere else everybody does.

The server says where it listens, before any request comes. As long as it has not, tokens are required: another server
than ours, which says nothing, is not open by accident.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from workers.settings import environment

#: As a server says it: host and port, or the path of a Unix socket.
Address = tuple[Any, ...] | str | bytes | int


class OpenBindError(Exception):
    """Everybody who reaches an address would be let in, and nobody has said that this is meant."""


@dataclass(frozen=True)
class Requirement:
    """What the environment says: `require` is None when it says nothing."""

    require: bool | None
    allow_open: bool

    @classmethod
    def read(cls) -> Requirement:
        """PIPELINE_REQUIRE_TOKEN and PIPELINE_ALLOW_OPEN.

        Raises:
            environs.EnvError: one cannot be read; the message names it.
        """
        env = environment()
        require = env.str("PIPELINE_REQUIRE_TOKEN", "") != ""
        return cls(env.bool("PIPELINE_REQUIRE_TOKEN") if require else None, env.bool("PIPELINE_ALLOW_OPEN", False))

    def required(self, addresses: Iterable[Address] | None) -> bool:
        """Whether tokens are required of who comes by these addresses; None: nobody knows which."""
        if self.require is not None and (self.require or self.allow_open):
            return self.require
        return addresses is None or any(not is_loopback(address) for address in addresses)

    def refuse_open(self, addresses: Iterable[Address]) -> None:
        """Refuse to listen where strangers come from when tokens are switched off.

        Raises:
            OpenBindError: they are, and PIPELINE_ALLOW_OPEN does not say that it is meant.
        """
        beyond = [address for address in addresses if not is_loopback(address)]
        if beyond and self.require is False and not self.allow_open:
            raise OpenBindError(
                f"PIPELINE_REQUIRE_TOKEN=false would let in everybody who reaches {_shown(beyond[0])}: leave it out, "
                "or set PIPELINE_ALLOW_OPEN=true as well if that is meant"
            )


def is_loopback(address: Address) -> bool:
    """Whether only this machine's own programs reach an address; a Unix socket may have a proxy in front."""
    if not isinstance(address, tuple):
        return False
    host = str(address[0])
    if host == "localhost":
        return True
    try:
        ip = ipaddress.ip_address(host)
        return (getattr(ip, "ipv4_mapped", None) or ip).is_loopback
    except ValueError:
        return False


_addresses: list[Address] | None = None
_required: bool | None = None


def listen_at(addresses: Iterable[Address] | None) -> None:
    """Say where this process, and those that it forks from now on, take requests from."""
    global _addresses, _required
    _addresses, _required = None if addresses is None else list(addresses), None


def tokens_required() -> bool:
    """Whether a request to this process needs a token.

    Raises:
        environs.EnvError: the environment cannot be read.
    """
    global _required
    if _required is None:
        _required = Requirement.read().required(_addresses)
    return _required


def _shown(address: Address) -> str:
    return ":".join(str(part) for part in address[:2]) if isinstance(address, tuple) else str(address)
