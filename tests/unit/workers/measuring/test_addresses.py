"""Which addresses a worker shows."""

from __future__ import annotations

import netifaces
import pytest

from workers.measuring import addresses

INTERFACES = {
    "lo": {netifaces.AF_INET: [{"addr": "127.0.0.1"}, {"addr": "127.0.1.1"}], netifaces.AF_INET6: [{"addr": "::1"}]},
    "eth0": {
        netifaces.AF_INET: [{"addr": "192.0.2.7", "netmask": "255.255.255.0"}],
        netifaces.AF_INET6: [{"addr": "2001:db8::7"}, {"addr": "fe80::1%eth0"}],
        netifaces.AF_LINK: [{"addr": "02:00:00:00:00:01"}],
    },
    "tun0": {netifaces.AF_INET: [{"peer": "198.51.100.1"}]},
    "down0": {},
}


def test_loopback_and_link_local_addresses_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netifaces, "interfaces", lambda: list(INTERFACES))
    monkeypatch.setattr(netifaces, "ifaddresses", INTERFACES.__getitem__)

    assert addresses.host_addresses() == ["192.0.2.7", "2001:db8::7"]


def test_a_host_with_loopback_only_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netifaces, "interfaces", lambda: ["lo"])
    monkeypatch.setattr(netifaces, "ifaddresses", INTERFACES.__getitem__)

    assert addresses.host_addresses() == []


def test_this_host_is_read_without_an_error() -> None:
    assert not [address for address in addresses.host_addresses() if address.startswith("127.") or address == "::1"]
