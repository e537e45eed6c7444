"""A worker of which all is real but its networks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from workers.celery import app
from workers.messages.details import LoadedWeights
from workers.messages.network_signature import NetworkSignature, TensorSignature
from workers.messages.protocol import VersionRef
from workers.runtime.engine import Weights
from workers.runtime.errors import RowsError
from workers.runtime.networks import Networks
from workers.settings import settings
from workers.worker import Worker, set_worker


class PretendedVersion:
    """Doubles every input."""

    weights = Weights((), 0)
    remarks: tuple[str, ...] = ()
    signature = NetworkSignature(
        [TensorSignature("numbers", "float32", [2])], [TensorSignature("numbers doubled", "float32", [2])]
    )

    def predict(self, inputs: dict[str, Any], request_rows: Sequence[int]) -> dict[str, Any]:
        if any(rows.shape[1:] != (2,) for rows in inputs.values()):
            raise RowsError("the network takes rows of shape (2,)")
        return {f"{name} doubled": rows * 2 for name, rows in inputs.items()}


class PretendedNetworks:
    """Loads what it is asked for, or fails as it is told."""

    def __init__(self) -> None:
        self.acquired: list[VersionRef] = []
        self.error: Exception | None = None

    def acquire(self, version: VersionRef) -> PretendedVersion:
        self.acquired.append(version)
        if self.error is not None:
            raise self.error
        return PretendedVersion()

    def holds(self, version: VersionRef) -> bool:
        return self.error is None and version in self.acquired

    def free_bytes(self) -> int:
        return 3 - len(self.acquired)

    def used_bytes(self) -> int:
        return 1000 * len(self.acquired)

    def loaded(self) -> list[LoadedWeights]:
        return [LoadedWeights(version.nn_id, version.digest, 1000) for version in self.acquired]


@contextmanager
def worker_with(networks: PretendedNetworks) -> Iterator[Worker]:
    """This process's worker, for the length of a block."""
    worker = Worker(app, "worker-1@here", settings())
    worker.networks = cast(Networks, networks)
    set_worker(worker)
    try:
        yield worker
    finally:
        set_worker(None)
        worker.stop()
