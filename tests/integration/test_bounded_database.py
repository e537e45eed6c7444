"""A gateway waits for PostgreSQL only so long, and makes no SQLite where there is none."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError

from gateway_site.database_url import database
from inference.databases import waiting
from inference.databases.postgresql.base import DatabaseWrapper as Postgresql
from inference.databases.sqlite3.base import DatabaseWrapper as Sqlite
from inference.supervision.addresses import LOOPBACK, free_ports
from tests.support.postgresql import PrivatePostgresql

pytestmark = pytest.mark.django_db  # unblocks connecting; the connections are made here
SHORT_SECONDS = 0.5
NOWHERE = Path("/nowhere")
#: Django fills these in for the databases that it knows.
USUAL = {
    "ATOMIC_REQUESTS": False, "AUTOCOMMIT": True, "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": False, "TIME_ZONE": None,
    "OPTIONS": {}, "USER": "", "PASSWORD": "", "HOST": "", "PORT": "",
}  # fmt: skip


@pytest.fixture
def connection(postgresql: PrivatePostgresql) -> Iterator[Postgresql]:
    made = Postgresql({**USUAL, **database(postgresql.url, NOWHERE)})
    made.answer_seconds = SHORT_SECONDS
    yield made
    made.close()


def ask(connection: Any, statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()


def answer_seconds(connection: Postgresql) -> float | None:
    with connection.get_new_connection(connection.get_connection_params()) as made:
        return made.answer_seconds


def test_of_several_hosts_the_next_is_asked_when_one_is_down(postgresql: PrivatePostgresql) -> None:
    host = postgresql.url.partition("@")[2].partition("/")[0]
    url = postgresql.url.replace(host, f"{LOOPBACK}:{free_ports(1)[0]},{host}") + "?target_session_attrs=read-write"
    made = Postgresql({**USUAL, **database(url, NOWHERE)})

    assert ask(made, "SELECT 1") == (1,)
    made.close()


def test_a_server_that_does_not_answer_in_time_is_given_up_and_asked_anew(connection: Postgresql) -> None:
    assert ask(connection, "SELECT 1") == (1,)
    began = time.monotonic()
    with pytest.raises(OperationalError, match="PostgreSQL has not answered"):
        ask(connection, "SELECT pg_sleep(20)")
    assert time.monotonic() - began < 10
    with pytest.raises(OperationalError):
        ask(connection, "SELECT 2")  # nobody takes the late answer for this one's
    connection.close()
    assert ask(connection, "SELECT 3") == (3,)


def test_only_a_gateway_waits_for_a_bounded_time(connection: Postgresql, monkeypatch: pytest.MonkeyPatch) -> None:
    connection.answer_seconds = None
    monkeypatch.setattr(waiting, "_bounded", False)
    assert answer_seconds(connection) is None
    monkeypatch.setattr(waiting, "_bounded", True)
    assert answer_seconds(connection) == waiting.ANSWER_SECONDS


def test_a_gateway_makes_no_sqlite_where_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a name?#%.sqlite3"
    made = Sqlite({**USUAL, **database("", NOWHERE), "NAME": str(file)})
    monkeypatch.setattr(waiting, "_bounded", True)
    with pytest.raises(OperationalError, match="unable to open"):
        ask(made, "SELECT 1")
    assert not file.exists()
    monkeypatch.setattr(waiting, "_bounded", False)
    assert ask(made, "SELECT 1") == (1,)
    made.close()
    monkeypatch.setattr(waiting, "_bounded", True)
    assert ask(made, "SELECT 1") == (1,)
    made.close()


def test_a_file_system_without_a_write_ahead_log_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    # SQLite's locks by files stand for a file system without shared memory, as network shares are.
    config = {**USUAL, **database("", NOWHERE), "NAME": f"file:{tmp_path}/shared.sqlite3?vfs=unix-dotfile"}
    for _ in range(2):
        made = Sqlite(config)
        ask(made, "SELECT 1")
        made.close()

    (line,) = [record.getMessage() for record in caplog.records if "write-ahead log" in record.getMessage()]
    assert "'delete'" in line
    assert "PIPELINE_DATA_DIR on a local disk" in line


def test_a_gateway_waits_for_a_lock_of_sqlite_for_a_bounded_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "_bounded", True)
    monkeypatch.setattr("inference.databases.sqlite3.base.LOCK_SECONDS", SHORT_SECONDS)
    file = tmp_path / "locked.sqlite3"
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        made = Sqlite({**USUAL, **database("", NOWHERE), "NAME": str(file)})
        assert ask(made, "SELECT 1") == (1,)
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        with pytest.raises(OperationalError, match="locked"):
            ask(made, "BEGIN IMMEDIATE")
        assert time.monotonic() - began < 10
        made.close()
