"""How long this process's threads wait for the database."""

from __future__ import annotations

#: How long a gateway process waits for an answer of PostgreSQL.
ANSWER_SECONDS = 20.0
#: How long it waits for a lock of SQLite that somebody else has: longer than an upload takes to be stored.
LOCK_SECONDS = 8.0
#: How long it waits until PostgreSQL has accepted a connection, unless DATABASE_URL says; libpq's least is two.
CONNECT_SECONDS = 2

_bounded = False


def bound_waits() -> None:
    """From now on every new connection of this process waits for an answer at most so long, and makes no database.

    A gateway process says so. A command does not: a migration of a large table may take its time.
    """
    global _bounded
    _bounded = True


def waits_are_bounded() -> bool:
    """Whether this process is a gateway's."""
    return _bounded
