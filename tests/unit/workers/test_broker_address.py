"""What BROKER_URL may say of encryption, and that none of it can be left out silently."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from workers.broker.buffered import Connection
from workers.broker_address import BrokerAddress, read_broker_address
from workers.celery import app


@pytest.fixture
def authority(tmp_path: Path) -> str:
    file = tmp_path / "ca.pem"
    file.write_text("")
    return str(file)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "memory://",
        "memory://localhost//",
        "amqp://u:p@host:5672//",
        "amqp://a//;amqp://b//",
        "amqp://u@[::1]:5672/%40",
    ],
)
def test_other_addresses_are_taken_as_they_are(url: str) -> None:
    assert read_broker_address(url) == BrokerAddress(url)


def test_an_encrypted_connection_is_always_verified(authority: str) -> None:
    plain = read_broker_address("amqps://u:p@host:5671/vhost")
    named = read_broker_address(f"amqps://host?cacertfile={authority}&verify=verify_peer&server_name_indication=broker")

    assert plain.url == "amqps://u:p@host:5671/vhost"
    assert plain.tls is not None
    assert plain.tls["cert_reqs"] == ssl.CERT_REQUIRED
    assert named.url == "amqps://host"
    assert named.tls is not None
    assert (named.tls["ca_certs"], named.tls["server_hostname"]) == (authority, "broker")
    assert named.tls["cert_reqs"] == ssl.CERT_REQUIRED


def test_a_clients_certificate_may_be_named(authority: str) -> None:
    tls = read_broker_address(f"amqps://host//?certfile={authority}&keyfile={authority}").tls

    assert tls is not None
    assert (tls["certfile"], tls["keyfile"]) == (authority, authority)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("amqps://host//?verify=verify_none", "asks for no verification"),
        ("amqps://host//?ssl_cert_reqs=none", "does not know: ssl_cert_reqs"),
        ("amqps://host//?cacert=/etc/ca.pem", "does not know: cacert"),
        ("amqps://host//?cacertfile=/no/such/file", "names a cacertfile that is no file: /no/such/file"),
        ("amqps://host//?certfile=/dev/null", "names a certfile that is no file"),
        ("amqp://host//?cacertfile=/etc/ca.pem", "write amqps://"),
        ("amqps://one//;amqp://two//", "write amqps://"),
    ],
)
def test_what_would_not_be_verified_is_refused(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_broker_address(url)


@pytest.mark.parametrize(
    "url",
    ["pyamqp://host//", "librabbitmq://host//", "redis://host", "confluentkafka://host", "amqp://a//;pyamqp://b//"],
)
def test_a_transport_that_would_not_sign_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="begins with none of amqp://, amqps://, memory://"):
        read_broker_address(url)


def test_such_a_transport_is_refused_whoever_names_it() -> None:
    with pytest.raises(ValueError, match="begins with none of"):
        app.connection_for_write("pyamqp://host//")
    for url in ("amqp://a:1//", "amqp://a//;amqp://b//", "memory://localhost//"):
        assert app.connection_for_write(url).clone().get_transport_cls().__module__ in (
            "workers.broker.buffered",
            "workers.broker.embedded_transport",
        )


@pytest.mark.parametrize("password", ["12#x", "1/x", "12;x", "1?x", "#", "/x", "12?x=1"])
@pytest.mark.parametrize("scheme", ["amqp", "amqps"])
def test_a_password_that_would_be_taken_for_a_port_is_refused_and_not_shown(scheme: str, password: str) -> None:
    with pytest.raises(ValueError, match="is no address: in a password") as raised:
        read_broker_address(f"{scheme}://user:{password}@host//")
    assert "x" not in str(raised.value).replace("%2", "")


@pytest.mark.parametrize("scheme", ["amqp", "amqps"])
@pytest.mark.parametrize("parameter", ["heartbeat", "connection_timeout", "frameMax"])
def test_waits_that_promises_rest_on_are_not_set_by_an_address(scheme: str, parameter: str) -> None:
    with pytest.raises(ValueError, match=f"{parameter}.*; .*own heartbeats and timeouts"):
        read_broker_address(f"{scheme}://host//?{parameter}=60")


def test_a_certificate_needs_its_key(authority: str) -> None:
    with pytest.raises(ValueError, match="both or none"):
        read_broker_address(f"amqps://host//?certfile={authority}")


@pytest.mark.parametrize(
    ("host", "name"),
    [("broker.example.com:5671", "broker.example.com"), ("[::1]:5671", "::1"), ("10.0.0.1:1", "10.0.0.1")],
)
def test_a_connection_looks_for_its_hosts_name_in_the_certificate(host: str, name: str) -> None:
    for told in ({}, {"server_hostname": "broker"}, True):
        transport = Connection().Transport(host, 1.0, told or True)

        expected = "broker" if isinstance(told, dict) and told else name
        assert transport.sslopts == {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": expected}
