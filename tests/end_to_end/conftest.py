"""What end-to-end tests share: the service as its script runs it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.service import Service, run, user_environment
from workers.settings import ROOT


@pytest.fixture(scope="session", autouse=True)
def _environment_is_set_up(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where the tests were not started by `scripts/test`, the first script may have to set `.venv` up, and says so."""
    done = run(ROOT / "scripts" / "serve", "-h", cwd=tmp_path_factory.getbasetemp(), env=user_environment())
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """`scripts/serve` with the first sample network, for the tests of one file."""
    service = Service("serve", tmp_path_factory.mktemp("served"))
    try:
        yield service.start()
    finally:
        service.stop()
