"""What is asked of a network: rows, by which network and version."""

from __future__ import annotations

from dataclasses import dataclass, field

from workers.messages.request_id import REQUEST_ID
from workers.messages.tensors import Tensors, count_bytes


@dataclass(frozen=True)
class PredictInput:
    """The rows to predict by input; `single` when they came as one `vector`.

    Without `nn_id` the default network answers, and without `version` the network's active one.
    """

    inputs: Tensors
    single: bool
    nn_id: str | None = None
    version: int | None = None
    request_id: str = field(default_factory=REQUEST_ID.get, compare=False)

    @property
    def rows_count(self) -> int:
        """How many rows are to be predicted."""
        return next(iter(self.inputs.values())).shape[0]

    @property
    def size_bytes(self) -> int:
        """How many bytes their numbers take."""
        return count_bytes(self.inputs)
