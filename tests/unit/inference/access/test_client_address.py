"""Whom a request is counted for."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from inference.access.client_address import counted_address


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::ffff:1:2", "2001:0db8:0000:0000"),
        ("fe80::1%eth0", "fe80:0000:0000:0000"),
        ("not:an:address", "not:an:address"),
    ],
)
def test_an_ipv4_client_counts_by_itself_and_an_ipv6_client_with_its_network(address: str, counted: str) -> None:
    assert counted_address(RequestFactory().get("/status", REMOTE_ADDR=address)) == counted
