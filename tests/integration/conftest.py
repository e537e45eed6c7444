"""What integration tests share: one private RabbitMQ node, one private PostgreSQL server, and systems on them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from inference.supervision import rabbitmq as rabbitmq_programs
from inference.supervision.rabbitmq import PrivateNode
from tests.chaos.cluster import Cluster, running_cluster
from tests.support import pgbouncer as pgbouncer_programs
from tests.support import postgresql as postgresql_programs
from tests.support.pgbouncer import running_pgbouncer
from tests.support.postgresql import PrivatePostgresql, running_postgresql
from tests.support.requirement import require
from tests.support.system import System


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateNode]:
    """A running node."""
    yield from running_node(tmp_path_factory.mktemp("rabbitmq"))


def running_node(directory: Path) -> Iterator[PrivateNode]:
    """A node of its own, started, and stopped afterwards."""
    require(rabbitmq_programs.installed(), "rabbitmq-server")
    node = PrivateNode(directory)
    node.start()
    try:
        node.wait_ready()
        yield node
    finally:
        node.stop()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PrivatePostgresql]:
    """A running server."""
    require(postgresql_programs.programs() is not None, "postgresql")
    with running_postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def pgbouncer(postgresql: PrivatePostgresql) -> Iterator[str]:
    """The address of another database of that server, by a pooler that gives each transaction another connection."""
    require(pgbouncer_programs.installed(), "pgbouncer")
    with running_pgbouncer(postgresql.new_database("pooled")) as url:
        yield url


@pytest.fixture(scope="module")
def system(rabbitmq: PrivateNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Two workers and two gateway processes on SQLite, for the tests of one file."""
    yield from running(System(tmp_path_factory.mktemp("system"), rabbitmq.url), workers=2)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three workers, two gateway processes and a node of its own, for all faults of one file."""
    require(rabbitmq_programs.installed(), "rabbitmq-server")
    with running_cluster(tmp_path_factory.mktemp("chaos")) as running:
        yield running


def running(made: System, workers: int) -> Iterator[System]:
    """The system, started, and stopped afterwards."""
    try:
        yield made.start(workers)
    finally:
        made.stop()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """An empty directory for a system of one test."""
    return tmp_path
