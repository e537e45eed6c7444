"""Files that go the whole way through a worker: fetched, read by a real helper, loaded, answering."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.unit.samples import NN_ID
from workers.messages.protocol import VersionRef
from workers.runtime.backend import keras
from workers.runtime.keras_archive import read_architecture
from workers.runtime.loading import LoadedVersion
from workers.runtime.models import save_weights
from workers.runtime.networks import Networks
from workers.runtime.weights_file import WeightsFileReader


def load_files(reader: WeightsFileReader, config: str, weights: bytes) -> LoadedVersion:
    """The version that a worker makes of an architecture's config and the bytes of a weights file."""
    files = {hashlib.sha256(content).hexdigest(): content for content in (config.encode(), weights)}
    architecture, digest = files

    def fetch(name: str, target: Path) -> None:
        target.write_bytes(files[name])

    return Networks(fetch, reader, 1024**3).acquire(VersionRef(NN_ID, 1, digest, architecture))


def load_saved(reader: WeightsFileReader, model: keras.Model, kind: str, folder: Path) -> LoadedVersion:
    """The version that a worker makes of the model as Keras saves it: a `.keras` archive, or its weights alone."""
    model.save(folder / "model.keras")
    archive = (folder / "model.keras").read_bytes()
    return load_files(reader, read_architecture(archive), archive if kind == "keras" else save_weights(model))


def assert_answers_alike(
    loaded: LoadedVersion, model: Any, rows: NDArray[Any], tolerance: float = 2e-5, expected: Any = None
) -> None:
    """The rows are answered, all at once and one by one, as the model does (or as `expected`)."""
    if expected is None:
        expected = keras.ops.convert_to_numpy(keras.ops.cast(model(rows, training=False), "float32"))
    alone = np.concatenate([loaded.predict_rows(rows[index : index + 1]) for index in range(len(rows))])
    for answers in (loaded.predict_rows(rows), alone):
        np.testing.assert_allclose(answers.astype(np.float32), expected, rtol=tolerance, atol=tolerance)
