"""What all tests have in common when several processes run them, see scripts/test."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def django_db_modify_db_settings_xdist_suffix() -> None:
    """Nothing: each process's SQLite is in its own memory. pytest-django knows that of Django's own backend only."""
