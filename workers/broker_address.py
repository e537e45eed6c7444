"""BROKER_URL: where the broker is, and how a connection to it is encrypted.

`amqps://` is verified always: the broker's certificate must be signed by a known authority and name the host. Its
parameters are those of RabbitMQ's own clients.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

#: What an `amqps://` address may say after `?`, and what py-amqp calls it.
PARAMETERS = {
    "cacertfile": "ca_certs",
    "certfile": "certfile",
    "keyfile": "keyfile",
    "server_name_indication": "server_hostname",
}
#: What an address may begin with, or nothing: for any other, messages would be neither signed nor judged.
SCHEMES = ("amqp", "amqps", "memory")
FILES = ("cacertfile", "certfile", "keyfile")
NO_ADDRESS = "is no address: in a password, write # / ? @ : ; and % as %23 %2F %3F …"
#: Other clients' addresses have heartbeats and timeouts in them.
WHY_NOT = "Pipeline has its own heartbeats and timeouts, which its promises rest on"
NAMES_SHOWN = 5


@dataclass(frozen=True)
class BrokerAddress:
    """An address for kombu, and py-amqp's options for TLS; None is a connection without it."""

    url: str
    tls: dict[str, Any] | None = None


def read_broker_address(text: str) -> BrokerAddress:
    """The address, or several of one cluster with `;` between them, that BROKER_URL says.

    Raises:
        ValueError: it cannot be read; the message shows nothing of a password.
    """
    addresses = [_split(part) for part in text.split(";")] if text else []
    if any(address.scheme not in SCHEMES for address in addresses):
        raise ValueError(f"begins with none of {', '.join(f'{scheme}://' for scheme in SCHEMES)}")
    encrypted = {address.scheme == "amqps" for address in addresses}
    if encrypted != {True}:
        told = {name for address in addresses for name in _parameters(address)}
        if True in encrypted or told & set(PARAMETERS):
            raise ValueError("says that some of it is to be encrypted: write amqps:// for every address")
        if told:
            raise ValueError(f"has parameters that are not taken: {_named(told)}; {WHY_NOT}")
        return BrokerAddress(text)
    bare = ";".join(address._replace(query="").geturl() for address in addresses)
    return BrokerAddress(bare, _tls(_parameters(addresses[0])))


def _split(text: str) -> SplitResult:
    try:
        address = urlsplit(text)
        _ = address.port
    except ValueError:
        # Python's own message would show a piece of the password to the log.
        raise ValueError(NO_ADDRESS) from None
    # A piece of a password that was taken for another part shows by its `@`, or as a `#`.
    if "#" in text or "@" in address.path + address.query:
        raise ValueError(NO_ADDRESS)
    return address


def _named(parameters: set[str]) -> str:
    return ", ".join(ascii(name)[1:41] for name in sorted(parameters)[:NAMES_SHOWN])


def _parameters(address: SplitResult) -> dict[str, str]:
    return dict(parse_qsl(address.query, keep_blank_values=True))


def _tls(parameters: dict[str, str]) -> dict[str, Any]:
    if parameters.pop("verify", "verify_peer") != "verify_peer":
        raise ValueError("asks for no verification, which amqps:// always has: name the authority with ?cacertfile=…")
    unknown = set(parameters) - set(PARAMETERS)
    if unknown:
        raise ValueError(
            f"has parameters that amqps:// does not know: {_named(unknown)}; {', '.join(PARAMETERS)} are, and {WHY_NOT}"
        )
    for name in FILES:
        if name in parameters and not Path(parameters[name]).is_file():
            raise ValueError(f"names a {name} that is no file: {parameters[name]}")
    if ("certfile" in parameters) != ("keyfile" in parameters):
        raise ValueError("needs both or none of certfile and keyfile")
    options = {PARAMETERS[name]: value for name, value in parameters.items()}
    return {**options, "cert_reqs": ssl.CERT_REQUIRED, "tls_minimum_version": ssl.TLSVersion.TLSv1_2}
