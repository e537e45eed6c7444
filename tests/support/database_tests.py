"""The unit tests that say what the database does, run on a server that is there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from tests.support.system import clean_environment
from workers.settings import ROOT

DATABASE_TESTS = [
    "access/test_known_tokens", "admin/test_admin", "admin/test_queries",
    "http/test_activate_view", "http/test_network_views", "http/test_weights_view", "management/test_token_commands",
    "models/test_migrations", "statistics/test_retention", "statistics/test_statistics", "statistics/test_timings",
    "versions/test_services_at_once", "versions/test_history", "versions/test_selectors", "versions/test_services",
    "versions/test_stored_files", "versions/test_switch", "versions/test_switch_first", "versions/test_uploads",
]  # fmt: skip


def run_on(url: str, names: Sequence[str]) -> None:
    """Run them; all have to pass, and none to be skipped. The database that they make goes with its server."""
    files = [f"tests/unit/inference/{name}.py" for name in names]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--reuse-db", *files],
        cwd=ROOT,
        env=clean_environment() | {"DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert "skipped" not in done.stdout
