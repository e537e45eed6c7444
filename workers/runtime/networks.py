"""The versions that a worker holds in memory: loads what it lacks, keeps the last used ones.

A version is loaded once, however many threads ask for it, and nobody waits for the loading of another one.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from numpy.typing import NDArray

from workers.protocol import VersionRef
from workers.runtime.backend import settle_memory
from workers.runtime.engine import Architecture, Weights
from workers.runtime.weights_file import WeightsFileReader

logger = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class LoadedVersion:
    """One version, ready to predict; immutable, so two versions can answer at the same time."""

    architecture: Architecture
    weights: Weights

    def predict(self, rows: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The outputs by their names, of shapes (rows, ...), for the inputs by theirs; see `Architecture.predict`.

        Raises:
            RowsError: the rows are not those that the network takes.
        """
        return self.architecture.predict(self.weights, rows)

    def predict_rows(self, rows: NDArray[Any]) -> NDArray[Any]:
        """The first output for the rows of a network with one input.

        Raises:
            RowsError: the rows are not those that the network takes.
        """
        return self.architecture.predict_rows(self.weights, rows)


class _Shelf:
    """Things that are made once, by whoever asks first, while the others wait; the last used are kept."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._lock = threading.Lock()
        self._items: OrderedDict[str, Future[Any]] = OrderedDict()

    def get(self, key: str, make: Callable[[], T]) -> T:
        with self._lock:
            future = self._items.get(key)
            mine = future is None
            if future is None:
                future = self._items[key] = Future()
            self._items.move_to_end(key)
        if mine:
            self._make(key, future, make)
        result: T = future.result()
        return result

    def has(self, key: str) -> bool:
        future = self._items.get(key)
        return future is not None and future.done() and future.exception() is None

    def _make(self, key: str, future: Future[Any], make: Callable[[], Any]) -> None:
        try:
            future.set_result(make())
        except BaseException as error:  # noqa: BLE001 - whoever waits must hear of it, whatever it is
            with self._lock:
                self._items.pop(key, None)
            future.set_exception(error)
        else:
            with self._lock:
                finished = [name for name, item in self._items.items() if item.done()]
                for name in finished[: max(0, len(finished) - self._kept)]:
                    del self._items[name]


class Networks:
    """Every version that this worker can answer with."""

    def __init__(self, fetch_file: Callable[[str, Path], None], reader: WeightsFileReader, versions_kept: int) -> None:
        self._fetch_file = fetch_file
        self._reader = reader
        self._versions = _Shelf(versions_kept)
        self._architectures = _Shelf(versions_kept)

    def acquire(self, version: VersionRef) -> LoadedVersion:
        """The version, fetched and loaded first when this worker does not have it.

        Raises:
            ArchitectureError, WeightsError: what was uploaded cannot be loaded.
            SupplyError: it could not be fetched.
        """
        return self._versions.get(self._key(version), lambda: self._load(version))

    def holds(self, version: VersionRef) -> bool:
        """Whether the version is loaded."""
        return self._versions.has(self._key(version))

    @staticmethod
    def _key(version: VersionRef) -> str:
        return f"{version.architecture}/{version.digest}"

    def _load(self, version: VersionRef) -> LoadedVersion:
        architecture = self._architectures.get(
            version.architecture, lambda: self._load_architecture(version.architecture)
        )
        with TemporaryDirectory(prefix="pipeline-") as folder:
            uploaded, readable = Path(folder) / "uploaded", Path(folder) / "readable.weights.h5"
            self._fetch_file(version.digest, uploaded)
            layout = self._reader.read(uploaded, readable, architecture.wanted)
            weights = architecture.load(readable) if layout == "hdf5" else architecture.load_tensors(readable)
        settle_memory()
        logger.info("Loaded %s (%d bytes of weights); it answers from now on.", version, weights.size_bytes)
        return LoadedVersion(architecture, weights)

    def _load_architecture(self, digest: str) -> Architecture:
        with TemporaryDirectory(prefix="pipeline-") as folder:
            file = Path(folder) / "architecture.json"
            self._fetch_file(digest, file)
            return Architecture(file.read_text("utf-8"))
