"""A private PostgreSQL server for tests: own data directory, loopback only, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from inference.supervision.addresses import LOOPBACK, free_ports
from tests.support.certificates import Certificate
from tests.support.waiting import wait_until

START_SECONDS = 60.0


def programs() -> Path | None:
    """The folder of PostgreSQL's server programs, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("postgres")
    return Path(on_path).resolve().parent if on_path else None


@contextmanager
def running_postgresql() -> Iterator[PrivatePostgresql]:
    """A server, started, and stopped afterwards."""
    server = PrivatePostgresql()
    try:
        server.start()
        yield server
    finally:
        server.stop()


class PrivatePostgresql:
    """One server with one database named `pipeline`; PostgreSQL refuses root, so root runs it as `postgres`."""

    def __init__(self, certificate: Certificate | None = None) -> None:
        self._certificate = certificate
        self._directory = Path()
        self._port = free_ports(1)[0]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address for DATABASE_URL."""
        return f"postgresql://postgres@{LOOPBACK}:{self._port}/pipeline"

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    @property
    def pid(self) -> int:
        """The server's process id, once it is started."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Make the database and serve it."""
        folder = programs()
        assert folder is not None, "PostgreSQL is not installed"
        # Not in pytest's folder, which another run closes to other users, and so to the server.
        self._directory = Path(tempfile.mkdtemp(prefix="pipeline-postgresql-"))
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self._directory, owner.pw_uid, owner.pw_gid)
        initdb = [str(folder / "initdb"), "-D", str(self._data), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        subprocess.run(self._as_owner([*initdb, "--locale=C", "--no-sync"]), check=True, stdout=subprocess.DEVNULL)
        self.serve()
        self.new_database("pipeline")

    def serve(self) -> None:
        """Start the server on the data that there is, unless it runs."""
        if self._process is not None and self._process.poll() is None:
            return
        folder = programs()
        assert folder is not None
        options = ["-D", str(self._data), "-p", str(self._port), "-k", str(self._directory), "-h", LOOPBACK, "-F"]
        options += self._encryption()
        log = (self._directory / "log").open("ab")
        with log:
            self._process = subprocess.Popen(
                self._as_owner([str(folder / "postgres"), *options]), stdout=log, stderr=subprocess.STDOUT
            )
        wait_until(self._answers, START_SECONDS, "PostgreSQL answers")

    def new_database(self, name: str) -> str:
        """Make an empty database; returns its address for DATABASE_URL."""
        with psycopg.connect(self._url_of("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self._url_of(name)

    def require_password(self, role: str, password: str) -> None:
        """Make a role that has to say its password."""
        rules = self._data / "pg_hba.conf"
        rules.write_text(f"host all {role} {LOOPBACK}/32 scram-sha-256\n{rules.read_text()}")
        make = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(password))
        with psycopg.connect(self._url_of("postgres"), autocommit=True) as connection:
            connection.execute(make)
            connection.execute("SELECT pg_reload_conf()")

    def kill(self) -> None:
        """SIGKILL to every process of the server."""
        server = psutil.Process(self.pid)
        for process in [server, *server.children(recursive=True)]:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        assert self._process is not None
        self._process.wait(30)

    def stop(self) -> None:
        """End the server, and its data with it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # not waiting for its clients to leave
            self._process.wait(30)
        if self._directory != Path():
            shutil.rmtree(self._directory)

    def _encryption(self) -> list[str]:
        """Options that have the server speak TLS, too; it reads its key only from a file of its own."""
        options = []
        for name, file in (
            (("cert", self._certificate.file), ("key", self._certificate.key)) if self._certificate else ()
        ):
            own = Path(shutil.copy(file, self._directory))
            own.chmod(0o600)
            if os.geteuid() == 0:
                shutil.chown(own, "postgres", "postgres")
            options += ["-c", f"ssl_{name}_file={own}"]
        return [*options, "-c", "ssl=on"] if options else []

    def _url_of(self, database: str) -> str:
        return f"postgresql://postgres@{LOOPBACK}:{self._port}/{database}"

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._url_of("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    @staticmethod
    def _as_owner(command: Sequence[str]) -> list[str]:
        if os.geteuid() != 0:
            return list(command)
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command]
