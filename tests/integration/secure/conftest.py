"""One Pipeline as docs/security.md has it: TLS to broker and database, users of least rights, and signed messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import pytest

from inference.supervision import rabbitmq as rabbitmq_programs
from inference.supervision.addresses import LOOPBACK, free_ports
from inference.supervision.rabbitmq import PrivateNode
from tests.integration.conftest import running
from tests.support import postgresql as postgresql_programs
from tests.support.broker_users import PASSWORD, write_definitions
from tests.support.certificates import Authority
from tests.support.postgresql import PrivatePostgresql
from tests.support.requirement import require
from tests.support.system import System

KEY = "6f0d9d3be5d4ff2f5e2e3b50b6b0a1a6"


@dataclass(frozen=True)
class SecureBroker:
    """A node that speaks TLS, with an authority of its own; its plain port is for the test alone."""

    node: PrivateNode
    authority: Authority
    tls_port: int

    def url(self, user: str, *, host: str = LOOPBACK, **parameters: str) -> str:
        """The address for BROKER_URL."""
        said = {"cacertfile": str(self.authority.file), **parameters}
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in said.items())
        return f"amqps://{user}:{quote(PASSWORD, safe='')}@{host}:{self.tls_port}//?{query}"


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who signs the servers' certificates."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def broker(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    """A running node that asks its clients for certificates, and takes those that have none."""
    require(rabbitmq_programs.installed(), "rabbitmq-server")
    directory = tmp_path_factory.mktemp("secure-rabbitmq")
    certificate = authority.sign("broker", f"DNS:broker.test,IP:{LOOPBACK}")
    node, port = PrivateNode(directory), free_ports(1)[0]
    write_definitions(directory / "definitions.json")
    (directory / "conf.d").mkdir()
    (directory / "conf.d" / "secure.conf").write_text(
        "max_message_size = 134217728\n"  # RabbitMQ 3's own; PrivateNode's is RabbitMQ 4's
        f"load_definitions = {directory}/definitions.json\n"
        f"listeners.ssl.local = {LOOPBACK}:{port}\n"
        f"ssl_options.cacertfile = {authority.file}\n"
        f"ssl_options.certfile = {certificate.file}\n"
        f"ssl_options.keyfile = {certificate.key}\n"
        "ssl_options.verify = verify_peer\n"
        "ssl_options.fail_if_no_peer_cert = false\n"
    )
    node.start()
    try:
        node.wait_ready()
        yield SecureBroker(node, authority, port)
    finally:
        node.stop()


@pytest.fixture(scope="session")
def database(authority: Authority) -> Iterator[str]:
    """The address, for DATABASE_URL, of a server that speaks TLS."""
    require(postgresql_programs.programs() is not None, "postgresql")
    server = PrivatePostgresql(authority.sign("database", f"IP:{LOOPBACK}"))
    try:
        server.start()
        yield f"{server.url}?sslmode=verify-full&sslrootcert={authority.file}"
    finally:
        server.stop()


@pytest.fixture(scope="session")
def secure(broker: SecureBroker, database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A gateway of one process, and two workers."""
    settings = {"PIPELINE_MESSAGE_KEY": KEY, "PIPELINE_GATEWAY_PROCESSES": "1", "PIPELINE_LOAD_TIMEOUT": "30"}
    system = System(tmp_path_factory.mktemp("secure"), broker.url("gateway"), database, **settings)
    system.worker_environment["BROKER_URL"] = broker.url("worker")
    for made in running(system, workers=2):
        yield made.load_first_sample()
