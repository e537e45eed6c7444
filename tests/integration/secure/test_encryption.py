"""Every connection to broker and database is encrypted and verified, or not made."""

from __future__ import annotations

import ssl
from pathlib import Path

import psutil
import psycopg
import pytest
from kombu import Connection

from inference.supervision.addresses import LOOPBACK
from tests.integration.secure.conftest import SecureBroker
from tests.support.certificates import Authority
from tests.support.samples import samples
from tests.support.system import System
from tests.support.waiting import wait_until
from workers.broker.connection import BrokerConnection

SECONDS = 120.0


def connect(url: str) -> None:
    with BrokerConnection(url, connect_timeout=30) as connection:
        connection.connect()


def test_predictions_and_switches_go_over_encrypted_connections(secure: System) -> None:
    """With users that may do no more than docs/security.md grants them."""
    first, second = samples()[:2]
    for sample in (first, second, first):
        answer = secure.client.set_weights(sample.nn_id, sample.file.name, sample.file.read_bytes())
        assert (answer["status"], answer["workers_count"]) == (True, 2)
    assert secure.client.predict([0.1, 0.2])["status"] is True
    assert secure.client.status()["workers_count"] == 2


def test_no_process_has_a_connection_to_the_plain_port(secure: System, broker: SecureBroker) -> None:
    pids = [child.pid for child in (secure.gateway, *secure.workers) if child.pid]
    family = [process for pid in pids for process in (psutil.Process(pid), *psutil.Process(pid).children(True))]
    ports = {peer.raddr.port for process in family for peer in process.net_connections("tcp") if peer.raddr}

    assert broker.tls_port in ports
    assert broker.node.port not in ports


def test_a_broker_of_another_authority_is_refused(broker: SecureBroker, tmp_path: Path) -> None:
    other = Authority(tmp_path)

    with pytest.raises(ssl.SSLCertVerificationError, match="verify failed"):
        connect(broker.url("worker", cacertfile=str(other.file)))
    connect(broker.url("worker"))


def test_a_broker_of_another_name_is_refused(broker: SecureBroker) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        connect(broker.url("worker", server_name_indication="other.test"))
    connect(broker.url("worker", server_name_indication="broker.test"))
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        connect(broker.url("worker", host="127.1"))  # the same, by another name


def test_kombus_own_switch_for_encryption_verifies_as_well(broker: SecureBroker) -> None:
    """`ssl=True` says nothing of an authority or a name."""
    with pytest.raises(ssl.SSLCertVerificationError):
        Connection(f"amqps://worker@{LOOPBACK}:{broker.tls_port}//", ssl=True, connect_timeout=30).connect()


def test_a_client_may_show_a_certificate(broker: SecureBroker, tmp_path: Path) -> None:
    known = broker.authority.sign("client", "DNS:client.test")
    unknown = Authority(tmp_path).sign("client", "DNS:client.test")

    connect(broker.url("worker", certfile=str(known.file), keyfile=str(known.key)))
    with pytest.raises(OSError, match=r"alert|closed|reset|Broken pipe|EOF"):
        connect(broker.url("worker", certfile=str(unknown.file), keyfile=str(unknown.key)))


def test_a_worker_that_does_not_trust_the_broker_says_why(secure: System, broker: SecureBroker, tmp_path: Path) -> None:
    worker = secure.add_worker(BROKER_URL=broker.url("worker", cacertfile=str(Authority(tmp_path).file)))
    try:
        wait_until(lambda: "CERTIFICATE_VERIFY_FAILED" in worker.log.read_text(), SECONDS, "the log says why")
        assert secure.workers_count() == 2
    finally:
        worker.stop()
        secure.workers.remove(worker)


def test_a_database_of_another_authority_is_refused(secure: System, database: str, tmp_path: Path) -> None:
    other = database.partition("sslrootcert=")[0] + f"sslrootcert={Authority(tmp_path).file}"

    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone() == (True,)
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        psycopg.connect(other)
    refused = System(tmp_path / "refused", secure.environment["BROKER_URL"], other).manage("migrate")
    assert refused.returncode != 0
    assert "certificate verify failed" in refused.stderr.splitlines()[-1] + refused.stderr
