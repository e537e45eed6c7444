"""A private PgBouncer for tests, in front of a PostgreSQL server: a transaction gets whichever connection is free."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from inference.supervision.addresses import LOOPBACK, free_ports
from inference.supervision.processes import Child
from tests.support.waiting import wait_until

START_SECONDS = 30.0
#: Connections to the server: fewer than the threads that ask, so that none has one for long.
POOL = 4
CONFIGURATION = """
[databases]
* = host={host} port={server_port} user=postgres
[pgbouncer]
listen_addr = {host}
listen_port = {port}
auth_type = any
pool_mode = transaction
default_pool_size = {pool}
max_client_conn = 500
unix_socket_dir =
"""


def installed() -> bool:
    """Whether PgBouncer is there."""
    return shutil.which("pgbouncer") is not None


@contextmanager
def running_pgbouncer(database_url: str) -> Iterator[str]:
    """The address of a server's database by a PgBouncer in transaction mode; it ends with the block."""
    with TemporaryDirectory(prefix="pipeline-pgbouncer-") as folder:
        if os.geteuid() == 0:  # which it refuses to be
            shutil.chown(folder, "postgres", "postgres")
        server_port = database_url.rpartition(":")[2].partition("/")[0]
        port = free_ports(1)[0]
        configuration = Path(folder) / "pgbouncer.ini"
        configuration.write_text(CONFIGURATION.format(host=LOOPBACK, server_port=server_port, port=port, pool=POOL))
        as_owner = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.geteuid() == 0 else []
        child = Child("pgbouncer", [*as_owner, "pgbouncer", str(configuration)], log=Path(folder) / "log")
        url = database_url.replace(f":{server_port}/", f":{port}/")
        try:
            child.start()
            wait_until(lambda: _answers(url), START_SECONDS, "PgBouncer answers")
            yield url
        finally:
            child.stop()


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
