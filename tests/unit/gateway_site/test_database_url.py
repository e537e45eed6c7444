"""What DATABASE_URL may say, and that no piece of a password is taken for a port."""

from __future__ import annotations

from pathlib import Path

import pytest
from environs import EnvError

from gateway_site.database_url import database

FOLDER = Path("/srv/data")


def test_without_one_the_data_directory_holds_sqlite() -> None:
    config = database("", FOLDER)

    assert config["ENGINE"] == "inference.databases.sqlite3"
    assert config["NAME"] == "/srv/data/pipeline.sqlite3"


def test_it_may_name_postgresql() -> None:
    config = database("postgres://user:secret@db.example:5433/pipeline", FOLDER)

    assert config["ENGINE"] == "inference.databases.postgresql"
    assert (config["HOST"], config["PORT"], config["PASSWORD"]) == ("db.example", 5433, "secret")


def test_a_file_may_have_an_at_in_its_name() -> None:
    assert database("sqlite:////srv/a@b/own.sqlite3", FOLDER)["NAME"] == "/srv/a@b/own.sqlite3"


@pytest.mark.parametrize(
    ("hosts", "host", "port"),
    [
        ("h1:5433,h2:5434", "h1,h2", "5433,5434"),
        ("h1,h2,h3", "h1,h2,h3", "5432,5432,5432"),
        ("[::1]:5433,[::2]", "::1,::2", "5433,5432"),
    ],
)
def test_several_hosts_are_those_of_one_postgresql(hosts: str, host: str, port: str) -> None:
    config = database(f"postgresql://u:p%23@{hosts}/db?target_session_attrs=read-write", FOLDER)

    assert (config["HOST"], config["PORT"]) == (host, port)
    assert (config["USER"], config["PASSWORD"], config["NAME"]) == ("u", "p#", "db")
    assert config["OPTIONS"] == {"target_session_attrs": "read-write"}


@pytest.mark.parametrize(
    "url",
    [
        "nonsense://host/name",
        *(f"postgresql://u:{password}@h/db" for password in ("12#x", "1/x", "1?x", "[x", "#")),
        "postgresql://u:p@h1:x,h2/db",
    ],
)
def test_what_is_no_address_is_refused_by_its_variables_name_and_not_shown(url: str) -> None:
    with pytest.raises(EnvError, match="DATABASE_URL") as raised:
        database(url, FOLDER)
    assert "x" not in str(raised.value)
