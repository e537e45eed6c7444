"""What end-to-end tests share: the service as its script runs it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.service import Service


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """`scripts/serve` with the first sample network, for the tests of one file."""
    service = Service("serve", tmp_path_factory.mktemp("served"))
    try:
        yield service.start()
    finally:
        service.stop()
