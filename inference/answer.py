"""What a prediction request gets back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from workers.protocol import VersionRef


@dataclass(frozen=True)
class Answer:
    """A request's own outputs, one for each of its rows, which version made them, and what the batch took."""

    version: VersionRef
    outputs: NDArray[Any]
    worker: str
    batch_rows: int
    queue_ms: float
    inference_ms: float
