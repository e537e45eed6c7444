"""The addresses that other hosts may reach this one by."""

from __future__ import annotations

import netifaces


def host_addresses() -> list[str]:
    """IPv4 and IPv6 addresses of all interfaces, loopback and link-local left out."""
    found: list[str] = []
    for interface in netifaces.interfaces():
        families = netifaces.ifaddresses(interface)
        for family in (netifaces.AF_INET, netifaces.AF_INET6):
            found += [entry["addr"] for entry in families.get(family, []) if "addr" in entry]
    return [address for address in found if not address.startswith(("127.", "::1", "fe80:"))]
