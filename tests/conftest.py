"""What all tests have in common when several processes run them, see scripts/test."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def django_db_modify_db_settings_xdist_suffix() -> None:
    """Nothing: each process's SQLite is in its own memory. pytest-django knows that of Django's own backend only."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files whose tests empty the database come last: what migrations have put there is gone for those that follow."""
    emptying = {item.path for item in items if _empties_the_database(item)}
    items.sort(key=lambda item: item.path in emptying)


def _empties_the_database(item: pytest.Item) -> bool:
    asked = {"transactional_db", "django_db_reset_sequences", "live_server"} & set(getattr(item, "fixturenames", ()))
    marks = item.iter_markers("django_db")
    return bool(asked) or any(mark.kwargs.get("transaction") or mark.kwargs.get("reset_sequences") for mark in marks)
