"""Real versions go the whole way: fetched by their digest, read by a real helper, loaded, answering."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.unit.networks import SUM_CONFIG, dense_config, rows, sum_architecture, weights_bytes, write_weights
from tests.unit.samples import NN_ID
from workers.messages.protocol import VersionRef
from workers.runtime.errors import ArchitectureError, WeightsError
from workers.runtime.networks import Networks
from workers.runtime.weights_file import WeightsFileReader

MEMORY = 1024**3
# Keras makes numpy arrays of its variables in a way that NumPy 2 warns about.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


class RealFiles:
    """Real files by their digest."""

    def __init__(self, *contents: bytes) -> None:
        self._contents = {hashlib.sha256(content).hexdigest(): content for content in contents}

    def fetch(self, digest: str, target: Path) -> None:
        target.write_bytes(self._contents[digest])


def name(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_real_version_is_fetched_cleaned_and_answers(reader: WeightsFileReader, tmp_path: Path) -> None:
    config, content = SUM_CONFIG.encode(), weights_bytes()
    networks = Networks(RealFiles(config, content).fetch, reader, MEMORY)

    loaded = networks.acquire(VersionRef(NN_ID, 1, name(content), name(config)))

    alone = sum_architecture()
    wanted = alone.predict_rows(alone.load(write_weights(tmp_path)), rows((0.1, 0.2)))
    assert loaded.predict_rows(rows((0.1, 0.2))).tolist() == wanted.tolist()


@pytest.mark.parametrize(
    ("config", "kept_bytes", "error"),
    [(SUM_CONFIG, 0, WeightsError), (SUM_CONFIG, 3000, WeightsError), ("no config", None, ArchitectureError)],
    ids=["empty", "truncated", "no architecture"],
)
def test_what_cannot_be_loaded_is_refused(
    config: str, kept_bytes: int | None, error: type[Exception], reader: WeightsFileReader
) -> None:
    content = weights_bytes()[:kept_bytes]
    networks = Networks(RealFiles(config.encode(), content).fetch, reader, MEMORY)

    with pytest.raises(error):
        networks.acquire(VersionRef(NN_ID, 1, name(content), name(config.encode())))


def test_weights_of_another_network_are_refused(reader: WeightsFileReader) -> None:
    content = weights_bytes(dense_config(4, 4, hidden=400))
    networks = Networks(RealFiles(SUM_CONFIG.encode(), content).fetch, reader, MEMORY)

    with pytest.raises(WeightsError, match="the file holds"):
        networks.acquire(VersionRef(NN_ID, 1, name(content), name(SUM_CONFIG.encode())))
