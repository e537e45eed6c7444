"""Many weights files for the sample networks, each with answers of its own, computed by Keras in this process."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from tests.support.samples import ARCHITECTURE, samples

LAST_LAYER = "layers/dense_2/vars"


@cache
def rows() -> NDArray[Any]:
    """The rows to ask for: far enough from zero that every factor shows."""
    drawn: NDArray[Any] = np.random.default_rng(5).uniform(0.1, 1.0, (64, 2)).astype(np.float32)
    return drawn


def bodies() -> list[dict[str, Any]]:
    """The rows as bodies of /predict."""
    return [{"vector": row} for row in rows().tolist()]


@dataclass(frozen=True)
class Upload:
    """A weights file for a network, and what that version answers to each of `rows()`."""

    nn_id: str
    content: bytes
    answers: NDArray[Any]


def uploads(count: int) -> list[Upload]:
    """Different weights for the three sample networks in turn, each with a factor of its own between 1/2 and 1."""
    return [_scaled(number % 3, 1 - number / (2 * count)) for number in range(count)]


def rival_uploads(count: int) -> list[Upload]:
    """Different weights for one network."""
    return [_scaled(0, 1 - number / (2 * count)) for number in range(count)]


def _scaled(which: int, factor: float) -> Upload:
    """A sample network whose answers are scaled."""
    weights = scaled_weights(which, factor)
    return Upload(samples()[which].nn_id, b64encode(weights), _own_answers(weights))


def scaled_weights(which: int, factor: float) -> bytes:
    """A sample network's weights file, by which every answer is so many times what it was."""
    file = BytesIO(b64decode(samples()[which].file.read_bytes()))
    with h5py.File(file, "r+") as opened:
        for tensor in opened[LAST_LAYER].values():
            tensor[...] = tensor[...] * factor
    return file.getvalue()


def _own_answers(weights: bytes) -> NDArray[Any]:
    model = _model()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "scaled.weights.h5"
        path.write_bytes(weights)
        model.load_weights(path)
    outputs: NDArray[Any] = model(rows()).numpy()[:, 0]
    return outputs


@cache
def _model() -> Any:
    from workers.runtime.backend import keras

    return keras.models.model_from_json(ARCHITECTURE.read_text())
