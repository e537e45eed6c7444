"""Where a request comes from: the client's address, and whom it is counted for when it names no token."""

from __future__ import annotations

from ipaddress import IPv6Address

from django.conf import settings

from inference.access.asks import Asks


def client_address(request: Asks) -> str:
    """The address that the connection comes from; behind proxies the one that the outermost of them was asked from.

    What stands before that in `X-Forwarded-For` is the client's own word. PIPELINE_PROXIES says how many there are.
    """
    proxies: int = settings.PIPELINE_PROXIES
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if proxies else []
    if proxies and len(forwarded) >= proxies and forwarded[-proxies].strip():
        return str(forwarded[-proxies]).strip()
    return str(request.META.get("REMOTE_ADDR") or "an unknown address")


def counted_address(request: Asks) -> str:
    """Whom a request is counted for: of IPv6 the network of 64 bits, which one host commonly has whole.

    A server that listens on `[::]` sees IPv4 clients as `::ffff:192.0.2.1`: each is one of its own.
    """
    address = client_address(request)
    if ":" not in address:
        return address
    try:
        whole = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    return str(whole.ipv4_mapped or whole.exploded[:19])
