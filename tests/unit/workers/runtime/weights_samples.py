"""A network loaded as a worker loads it, from weights in any format, and what it must answer."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from tests.unit.networks import SUM_CONFIG
from tests.unit.samples import NN_ID
from workers.messages.protocol import VersionRef
from workers.runtime.backend import keras
from workers.runtime.loading import LoadedVersion
from workers.runtime.models import build_model
from workers.runtime.networks import Networks
from workers.runtime.weights_file import WeightsFileReader

GIVEN = np.random.default_rng(1).random((4, 2), np.float32)


def named(model: keras.Model, dtype: Any = np.float32) -> dict[str, Any]:
    return {variable.path: variable.numpy().astype(dtype) for variable in model.weights}


def load(reader: WeightsFileReader, weights: bytes, config: str = SUM_CONFIG) -> LoadedVersion:
    files = {hashlib.sha256(content).hexdigest(): content for content in (config.encode(), weights)}
    architecture, digest = files

    def fetch(name: str, target: Path) -> None:
        target.write_bytes(files[name])

    return Networks(fetch, reader, 1024**3).acquire(VersionRef(NN_ID, 1, digest, architecture))


def sum_model(seed: int = 3) -> keras.Model:
    model = build_model(SUM_CONFIG)
    random = np.random.default_rng(seed)
    model.set_weights([random.normal(size=array.shape).astype(np.float32) for array in model.get_weights()])
    return model


def assert_answers_alike(loaded: LoadedVersion, model: Any, tolerance: float = 1e-6) -> None:
    np.testing.assert_allclose(
        loaded.predict_rows(GIVEN), np.asarray(model(GIVEN, training=False)), rtol=0, atol=tolerance
    )
