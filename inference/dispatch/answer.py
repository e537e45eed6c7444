"""What a prediction request gets back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.messages.protocol import VersionRef


@dataclass(slots=True)  # not frozen, as Waiting is not
class Answer:
    """A request's own rows of what a batch has come to, which version made them, and what the batch took."""

    version: VersionRef
    #: The batch's outputs by name; those rows from `first` on are the request's.
    batch_outputs: dict[str, NDArray[Any]]
    first: int
    rows: int
    worker: str
    batch_rows: int
    queue_ms: float
    inference_ms: float

    @property
    def outputs(self) -> dict[str, NDArray[Any]]:
        """The request's own outputs by name, one for each of its rows."""
        last = self.first + self.rows
        return {name: output[self.first : last] for name, output in self.batch_outputs.items()}

    @property
    def size_bytes(self) -> int:
        """How many bytes their numbers take, and how many characters their texts have."""
        size = 0
        for output in self.batch_outputs.values():
            size += output.nbytes * self.rows // self.batch_rows
            if output.dtype.kind == "O":
                size += sum(map(len, output[self.first : self.first + self.rows].ravel().tolist()))
        return size

    def result(self, single: bool) -> Any:
        """The outputs for a JSON answer: by name when there are several, for one row or all rows.

        One row's output is a number when it is only one, else an array, which JSON says as nested lists.
        """
        results: dict[str, Any] = {}
        for name, output in self.batch_outputs.items():
            if single and output.size == self.batch_rows:
                results[name] = output.item(self.first)
            else:
                results[name] = _written(output[self.first] if single else output[self.first : self.first + self.rows])
        return results if len(results) > 1 else results.popitem()[1]


def _written(numbers: NDArray[Any]) -> Any:
    """The array as orjson writes it ten times faster than a list, and in the same digits: those of a float64.

    Texts it writes from lists alone.
    """
    kind = numbers.dtype.kind
    if kind == "O":
        return numbers.tolist()
    return numbers.astype(np.float64) if kind == "f" else numbers
