"""The files in data/ are what their names and data/README.md say."""

from __future__ import annotations

import base64
import zlib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from workers.runtime.engine import Architecture
from workers.runtime.errors import WeightsError
from workers.runtime.training import measure_worst_error

DATA = Path(__file__).parents[4] / "data"
CONFIG = (DATA / "sum_network.json").read_text(encoding="utf-8")
NN_IDS = ["000127a35b5f462b8ec68fb4d905ac36", "0d3c5dffa4374c77a554ed38c9c50296", "dfd2cd54a1ec4a408285f547f6827ea2"]


def only_sample(nn_id: str) -> Path:
    (path,) = DATA.glob(f"{nn_id}_*.b64")
    return path


def decode(path: Path) -> bytes:
    return base64.b64decode(path.read_bytes(), validate=True)


def write_weights(path: Path, folder: Path) -> Path:
    weights_file = folder / f"{path.stem}.weights.h5"
    weights_file.write_bytes(decode(path))
    return weights_file


@pytest.fixture(scope="module")
def architecture() -> Architecture:
    return Architecture(CONFIG)


@pytest.mark.parametrize("nn_id", NN_IDS)
def test_the_name_tells_the_crc_of_the_decoded_bytes(nn_id: str) -> None:
    path = only_sample(nn_id)

    assert path.name == f"{nn_id}_{zlib.crc32(decode(path)):08x}.b64"


@pytest.mark.parametrize("nn_id", NN_IDS)
def test_a_sample_adds_within_a_hundredth_on_the_whole_square(
    nn_id: str, architecture: Architecture, tmp_path: Path
) -> None:
    path = only_sample(nn_id)
    weights = architecture.load(write_weights(path, tmp_path))

    worst_error = measure_worst_error(lambda rows: architecture.predict_rows(weights, rows))

    assert worst_error < 0.01
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    (row,) = (line for line in readme.splitlines() if line.startswith(f"| `{path.name}`"))
    # Told to the sixth decimal, which another processor's kernels may round otherwise.
    assert float(row.split("|")[4]) == pytest.approx(worst_error, abs=2e-6)


def test_the_samples_answer_differently(architecture: Architecture, tmp_path: Path) -> None:
    rows = np.array([[0.1, 0.2], [0.446, 0.554]], np.float32)
    networks = [architecture.load(write_weights(only_sample(nn_id), tmp_path)) for nn_id in NN_IDS]

    answers = [architecture.predict_rows(weights, rows) for weights in networks]

    for one, other in pairwise([*answers, answers[0]]):
        assert (np.abs(one - other) > 5e-6).all()


def test_bad_tensors_is_base64_of_what_is_no_weights_file(architecture: Architecture, tmp_path: Path) -> None:
    with pytest.raises(WeightsError):
        architecture.load(write_weights(DATA / "bad_tensors.b64", tmp_path))
