"""Makes a version of its files: fetches them, has the helper read the weights, and holds the version to its terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from workers.messages.message import ProtocolError
from workers.messages.network_signature import NetworkSignature, TensorSignature
from workers.messages.protocol import VersionRef
from workers.messages.terms import NO_TERMS, Expected, Terms
from workers.runtime.engine import Architecture, Weights
from workers.runtime.errors import ArchitectureError, RowsError, WeightsError
from workers.runtime.expected import differences
from workers.runtime.load_folder import load_folder
from workers.runtime.wanted_weights import WantedWeights
from workers.runtime.weights_file import WeightsFileReader

#: Said of a version whose answers depend on what else is computed with them.
ROWS_BELONG_TOGETHER = "Its rows belong together: each request is computed by itself, and shares no call with others."
#: Said of a version that answers otherwise each time.
RANDOM = "Its answers are drawn anew each time: layers that draw are called with training=True."
#: Said of a file in which there is more than the network's weights.
IGNORED = "Its file holds more than the network's weights, which was ignored: {}."


@dataclass(frozen=True)
class LoadedVersion:
    """One version, ready to predict; immutable, so two versions can answer at the same time."""

    architecture: Architecture
    weights: Weights
    #: Names of what the file holds and no layer has.
    ignored: str = ""

    @property
    def remarks(self) -> list[str]:
        """What is to be known about how it answers, and about its file, a sentence each."""
        said = {
            ROWS_BELONG_TOGETHER: self.weights.rows_belong_together,
            RANDOM: self.architecture.is_random,
            IGNORED.format(self.ignored): bool(self.ignored),
        }
        return [remark for remark, holds in said.items() if holds]

    @property
    def signature(self) -> NetworkSignature:
        """What it takes and makes."""
        return NetworkSignature(
            [TensorSignature(each.name, each.dtype, each.row_shape) for each in self.architecture.inputs],
            [TensorSignature(each.name, each.dtype, each.row_shape) for each in self.architecture.outputs],
        )

    def predict(self, rows: Mapping[str, NDArray[Any]], request_rows: Sequence[int] = ()) -> dict[str, NDArray[Any]]:
        """The outputs by their names, of shapes (rows, ...), for the inputs by theirs; see `Architecture.predict`.

        Raises:
            RowsError: the rows are not those that the network takes.
        """
        return self.architecture.predict(self.weights, rows, request_rows)

    def predict_rows(self, rows: NDArray[Any]) -> NDArray[Any]:
        """The first output for the rows of a network with one input.

        Raises:
            RowsError: the rows are not those that the network takes.
        """
        return self.architecture.predict_rows(self.weights, rows)


class Loader:
    """Loads architectures, and versions of them."""

    def __init__(
        self, fetch_file: Callable[[str, Path], None], reader: WeightsFileReader, max_network_bytes: int
    ) -> None:
        self._fetch_file = fetch_file
        self._reader = reader
        self._max_network_bytes = max_network_bytes

    def load_architecture(self, digest: str) -> Architecture:
        """The architecture of this digest, compiled.

        Raises:
            ArchitectureError: what was uploaded is none.
            SupplyError: it could not be fetched.
        """
        try:
            config = self._fetch(digest).decode("utf-8")
        except UnicodeDecodeError as error:
            raise ArchitectureError("the architecture is no UTF-8 text") from error
        return Architecture(config, self._max_network_bytes)

    def load_version(self, version: VersionRef, architecture: Architecture) -> LoadedVersion:
        """The version, with its architecture.

        Raises:
            WeightsError: the file is none of this architecture's weights, or the answers are not those that must hold.
            SupplyError: a file could not be fetched.
        """
        terms = self._load_terms(version)
        wanted = replace(architecture.wanted, order=tuple(terms.order))
        with load_folder() as folder:
            uploaded = folder / "uploaded"
            self._fetch_file(version.digest, uploaded)
            if terms.expected is not None:
                return self._load_expected(terms.expected, uploaded, architecture, wanted)
            return self._load_weights(uploaded, architecture, wanted)[0]

    def _load_expected(
        self, expected: Expected, uploaded: Path, architecture: Architecture, wanted: WantedWeights
    ) -> LoadedVersion:
        """The version that answers as it must, of as many as there are orders in which the file's layers fit."""
        right: list[LoadedVersion] = []
        why, tried, orders = "", 0, 1
        while tried < orders:
            version, orders = self._load_weights(uploaded, architecture, replace(wanted, choice=tried))
            try:
                differ = differences(expected, version.predict)
            except RowsError as error:
                raise WeightsError(f"the examples that must hold cannot be computed: {error}") from error
            if not differ:
                right.append(version)
            why, tried = why or differ, tried + 1
        if not right:
            in_none = (
                f" in none of the {orders} orders that the file's layers fit in; in the first" if orders > 1 else ""
            )
            raise WeightsError(f"the answers are not those that must hold{in_none}: {why}")
        if len(right) > 1:
            raise WeightsError(
                f"the examples hold in {len(right)} orders of the file's layers: send such as tell which of them it "
                "is, or order= with the layers' names as they are used"
            )
        return right[0]

    def _load_weights(
        self, uploaded: Path, architecture: Architecture, wanted: WantedWeights
    ) -> tuple[LoadedVersion, int]:
        """The version, and in how many orders the file's layers fit."""
        readable = uploaded.with_name("readable.weights.h5")
        written = self._reader.read(uploaded, readable, wanted)
        weights = architecture.load(readable) if written.layout == "hdf5" else architecture.load_tensors(readable)
        return LoadedVersion(architecture, weights, written.ignored), written.orders

    def _load_terms(self, version: VersionRef) -> Terms:
        try:
            return Terms.from_bytes(self._fetch(version.terms)) if version.terms else NO_TERMS
        except ProtocolError as error:
            raise WeightsError(f"what must hold for these weights cannot be read: {error}") from error

    def _fetch(self, digest: str) -> bytes:
        with load_folder() as folder:
            self._fetch_file(digest, folder / "file")
            return (folder / "file").read_bytes()
