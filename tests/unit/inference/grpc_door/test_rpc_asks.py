"""Who makes a call, as those see it who decide about requests."""

from __future__ import annotations

import pytest

from inference.grpc_door.rpc_asks import RpcAsks, address_of
from inference.http.authentication import key_of


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:192.0.2.1:50000", "192.0.2.1"),
        ("ipv6:%5B2001:db8::1%5D:50000", "2001:db8::1"),
        ("ipv6:[::ffff:192.0.2.1]:50000", "::ffff:192.0.2.1"),
        ("unix:", ""),
    ],
)
def test_the_client_has_the_address_of_its_peer(peer: str, address: str) -> None:
    assert address_of(peer) == address


@pytest.mark.parametrize("scheme", ["Token", "Bearer", "bearer"])
def test_the_key_is_that_of_the_metadata(scheme: str) -> None:
    assert key_of(RpcAsks([("authorization", f"{scheme} abc")], "ipv4:192.0.2.1:1")) == "abc"


def test_two_keys_are_none() -> None:
    assert key_of(RpcAsks([("authorization", "Token abc"), ("authorization", "Token def")], "")) == "abc, Token def"


def test_a_key_with_an_underscore_or_bytes_says_nothing() -> None:
    asks = RpcAsks([("x_forwarded_for", "192.0.2.9"), ("trace-bin", b"\0")], "ipv4:192.0.2.1:1")

    assert asks.META == {"REMOTE_ADDR": "192.0.2.1"}
