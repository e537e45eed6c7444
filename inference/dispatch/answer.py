"""What a prediction request gets back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.messages.protocol import VersionRef


@dataclass(slots=True)  # not frozen, as Waiting is not
class Answer:
    """A request's own outputs by name, one for each of its rows, which version made them, and what the batch took."""

    version: VersionRef
    outputs: dict[str, NDArray[Any]]
    worker: str
    batch_rows: int
    queue_ms: float
    inference_ms: float

    def result(self, single: bool) -> Any:
        """The outputs for a JSON answer: by name when there are several, for one row or all rows.

        One row's output is a number when it is only one, else an array, which JSON says as nested lists.
        """
        results = {name: _only_row(output) if single else _rows(output) for name, output in self.outputs.items()}
        return results if len(results) > 1 else next(iter(results.values()))


def _only_row(output: NDArray[Any]) -> Any:
    return output.item() if output.size == 1 else _rows(output)[0]


def _rows(output: NDArray[Any]) -> NDArray[Any]:
    """The array as orjson writes it ten times faster than a list, and in the same digits: those of a float64."""
    return output.astype(np.float64) if output.dtype.kind == "f" else output
