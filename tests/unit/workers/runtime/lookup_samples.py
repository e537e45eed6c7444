"""Models that read words, for tests: made, stored as an upload stores them, and loaded."""

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
from workers.runtime.models import DEFAULT_MAX_BYTES
from workers.runtime.networks import Networks
from workers.runtime.weights_file import WeightsFileReader

layers = keras.layers
TEXTS = ["The cat sat, the cat ran.", "a dog 😀 ran", "über naïve Straße", "dog", "", "cat\0cat", "  a  \u2028 b "]
WORDS = ["red", "green", "😀", "", "re\0d", "übergrün"]


class Files:
    """Stored files by their digest."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}

    def add(self, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        self.contents[digest] = content
        return digest

    def fetch(self, digest: str, target: Path) -> None:
        target.write_bytes(self.contents[digest])


def archive(model: keras.Model, folder: Path) -> bytes:
    model.save(folder / "model.keras")
    return (folder / "model.keras").read_bytes()


def upload(files: Files, model: keras.Model, folder: Path, number: int = 1) -> VersionRef:
    content = archive(model, folder)
    return VersionRef(NN_ID, number, files.add(content), files.add(read_architecture(content).encode()))


def load(
    model: keras.Model, folder: Path, reader: WeightsFileReader, max_bytes: int = DEFAULT_MAX_BYTES
) -> LoadedVersion:
    files = Files()
    return Networks(files.fetch, reader, 1024**3, max_bytes).acquire(upload(files, model, folder))


def texts(*values: Any) -> NDArray[Any]:
    return np.array([[value] for value in values], object)


def of_texts(layer: Any, shape: tuple[int | None, ...] = (1,), dtype: str = "string") -> keras.Model:
    given = keras.Input(shape, dtype=dtype)
    return keras.Model(given, layer(given))


def adapted(layer: Any, values: list[Any]) -> Any:
    layer.adapt(values)
    return layer


def vectorization(**options: Any) -> Any:
    # Keras itself makes an empty word of one that is a NUL, and then reads its own file no more.
    return adapted(layers.TextVectorization(**options), TEXTS[:5] if "split" in options else TEXTS)


def lookup(**options: Any) -> Any:
    return adapted(layers.StringLookup(**options), WORDS)
