"""The versions that a worker holds in memory: loads what it lacks, keeps the last used ones.

A version is loaded once, however many threads ask for it, and nobody waits for the loading of another one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from workers.logs import about
from workers.measuring.measured import Measured
from workers.messages.details import LoadedWeights
from workers.messages.protocol import VersionRef
from workers.runtime.backend import settle_memory
from workers.runtime.engine import Architecture
from workers.runtime.loading import LoadedVersion, Loader
from workers.runtime.models import DEFAULT_MAX_BYTES
from workers.runtime.shelf import Shelf
from workers.runtime.weights_file import WeightsFileReader

logger = logging.getLogger(__name__)

#: Versions of one network that are kept: the active one and those that were used last, for a quick way back.
VERSIONS_A_NETWORK = 8
#: What a version takes beside its weights, and an architecture beside its model's own: objects and a compiled function.
VERSION_BYTES = 16 * 1024
ARCHITECTURE_BYTES = 2 * 1024**2


class Networks:
    """Every version that this worker can answer with, within a budget of memory."""

    def __init__(
        self,
        fetch_file: Callable[[str, Path], None],
        reader: WeightsFileReader,
        memory_bytes: int,
        max_network_bytes: int = DEFAULT_MAX_BYTES,
        measured: Measured | None = None,
    ) -> None:
        self._loader = Loader(fetch_file, reader, max_network_bytes)
        self._memory_bytes = memory_bytes
        self._measured = measured or Measured()
        self._versions = Shelf[LoadedVersion](lambda version: version.weights.size_bytes + VERSION_BYTES)
        self._architectures = Shelf[Architecture](lambda each: each.size_bytes + ARCHITECTURE_BYTES)
        self._dropped_architectures = False

    def acquire(self, version: VersionRef) -> LoadedVersion:
        """The version, fetched and loaded first when this worker does not have it.

        A network's last used versions are kept, and when the memory is used up, those of all networks that were used
        last; who has one that is let go keeps it.

        Raises:
            ArchitectureError, WeightsError: what was uploaded cannot be loaded.
            SupplyError: it could not be fetched.
        """
        key = self._key(version)
        if self._versions.has(key):
            return self._versions.get(key, lambda: self._load(version))
        try:
            loaded = self._versions.get(key, lambda: self._load(version))
        finally:
            self._drop_unused_architectures()
        self._make_room(key)
        self._settle()
        return loaded

    def holds(self, version: VersionRef) -> bool:
        """Whether the version is loaded."""
        return self._versions.has(self._key(version))

    def free_bytes(self) -> int:
        """What is left of the memory; with nothing left, the next version takes the place of another."""
        return self._memory_bytes - self.used_bytes()

    def used_bytes(self) -> int:
        """What the versions and architectures that are there are counted with."""
        return self._versions.used_bytes() + self._architectures.used_bytes()

    def loaded(self) -> list[LoadedWeights]:
        """The versions that are there, the last used one last."""
        found = []
        for key, size in self._versions.sizes().items():
            nn_id, _, digest, _ = key.split("/")
            found.append(LoadedWeights(nn_id, digest, size))
        return found

    def _make_room(self, newest: str) -> None:
        of_network = [key for key in self._versions.names() if key.startswith(newest.partition("/")[0])]
        for key in of_network[:-VERSIONS_A_NETWORK]:
            self._versions.drop(key)
            self._measured.add_eviction()
        while self.free_bytes() < 0:
            self._drop_unused_architectures()
            if self.free_bytes() >= 0 or not self._versions.drop_oldest(but=newest):
                return
            self._measured.add_eviction()

    def _drop_unused_architectures(self) -> bool:
        """Let go of architectures without versions; whether any went since the last version was loaded."""
        used = {key.split("/")[1] for key in self._versions.names()}
        self._dropped_architectures |= self._architectures.keep_only(used)
        return self._dropped_architectures

    def _settle(self) -> None:
        reclaim, self._dropped_architectures = self._drop_unused_architectures(), False
        settle_memory(reclaim)

    @staticmethod
    def _key(version: VersionRef) -> str:
        return f"{version.nn_id}/{version.architecture}/{version.digest}/{version.terms or ''}"

    def _load(self, version: VersionRef) -> LoadedVersion:
        started = perf_counter()
        try:
            architecture = self._architectures.get(
                version.architecture, lambda: self._loader.load_architecture(version.architecture)
            )
            loaded = self._loader.load_version(version, architecture)
        except BaseException:
            self._measured.add_failed_load()
            raise
        self._measured.add_load(perf_counter() - started)
        logger.info(
            "Loaded %s (%d bytes of weights); it answers from now on.",
            version,
            loaded.weights.size_bytes,
            extra=about(version),
        )
        return loaded
