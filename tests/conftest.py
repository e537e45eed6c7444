"""How the tests are shared out when several processes run them (pytest-xdist): what shares a system stays together."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
BROWSER = TESTS / "end_to_end" / "browser"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file's tests run in one process, one after the other; those in the browser share one system among files."""
    for item in items:
        together = BROWSER if item.path.is_relative_to(BROWSER) else item.path
        item.add_marker(pytest.mark.xdist_group(str(together.relative_to(TESTS))))


@pytest.fixture(scope="session")
def django_db_modify_db_settings_xdist_suffix() -> None:
    """Nothing: each process's SQLite is in its own memory. pytest-django knows that of Django's own backend only."""
