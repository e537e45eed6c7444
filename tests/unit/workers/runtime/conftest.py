"""What the tests of the runtime share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from workers.runtime.weights_file import WeightsFileReader


@pytest.fixture(scope="module")
def reader() -> Iterator[WeightsFileReader]:
    """The helper processes that read weights files."""
    reader = WeightsFileReader(60.0)
    yield reader
    reader.stop()
