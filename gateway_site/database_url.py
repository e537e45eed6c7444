"""DATABASE_URL as Django's settings: SQLite in the data directory, or a PostgreSQL of one host or several."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import dj_database_url
from environs import EnvError

SQLITE_OPTIONS: dict[str, Any] = {
    # Readers never wait for the writer, and a writer takes its lock at once instead of failing half-way.
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
}
#: Django's backends, with an end to every wait.
BOUNDED_BACKENDS = {f"django.db.backends.{name}": f"inference.databases.{name}" for name in ("postgresql", "sqlite3")}
POSTGRESQL_PORT = 5432
#: Whatever the reason quotes may be of the password, so it is not told.
NO_ADDRESS = "DATABASE_URL cannot be read as an address: in a password, write # / ? @ : and % as %23 %2F %3F …"


def database(url: str, data_directory: Path) -> dict[str, Any]:
    """Django's settings for a database URL; SQLite in the data directory when it is empty.

    Raises:
        EnvError: it cannot be read.
    """
    if not url:
        url = f"sqlite:///{data_directory}/pipeline.sqlite3"
        hosts = []
    else:
        address = _split(url)
        hosts = _hosts(address)
        if len(hosts) > 1:
            url = address._replace(netloc=address.netloc.rpartition("@")[0] + "@several").geturl()
    try:
        config: dict[str, Any] = dict(dj_database_url.parse(url))
    except dj_database_url.UnknownSchemeError as error:
        raise EnvError(f"DATABASE_URL cannot be read: {error}") from error
    except ValueError:
        raise EnvError(NO_ADDRESS) from None
    if len(hosts) > 1:  # as libpq has them
        config["HOST"], config["PORT"] = (",".join(each) for each in zip(*hosts, strict=True))
    if config["ENGINE"] == "django.db.backends.sqlite3":
        config["OPTIONS"] = SQLITE_OPTIONS
    config["ENGINE"] = BOUNDED_BACKENDS.get(config["ENGINE"], config["ENGINE"])
    return config


def _split(url: str) -> SplitResult:
    """The parts of an address; a piece of a password that was taken for one of them shows by its `@`, or as a `#`."""
    try:
        address = urlsplit(url)
    except ValueError:
        raise EnvError(NO_ADDRESS) from None
    if "#" in url or (address.netloc and "@" in address.path + address.query):  # a file has neither host nor password
        raise EnvError(NO_ADDRESS)
    return address


def _hosts(address: SplitResult) -> list[tuple[str, str]]:
    """Each host and its port; PostgreSQL's clients try one after the other."""
    hosts = []
    for part in address.netloc.rpartition("@")[2].split(","):
        try:
            one = urlsplit(f"//{part}")
            hosts.append((one.hostname or "", str(one.port or POSTGRESQL_PORT)))
        except ValueError:
            raise EnvError(NO_ADDRESS) from None
    return hosts
