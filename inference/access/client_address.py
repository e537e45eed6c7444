"""Which client a request is counted for when it names no token."""

from __future__ import annotations

from ipaddress import IPv6Address

from django.http import HttpRequest
from rest_framework.request import Request


def client_address(request: Request | HttpRequest) -> str:
    """The address that the connection comes from; of IPv6, the network of 64 bits that one host commonly has whole."""
    address = str(request.META.get("REMOTE_ADDR") or "unknown")
    if ":" not in address:
        return address
    try:
        return IPv6Address(address.partition("%")[0]).exploded[:19]
    except ValueError:
        return address
