"""What a prediction request gets back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from workers.protocol import VersionRef


@dataclass(frozen=True, slots=True)
class Answer:
    """A request's own outputs by name, one for each of its rows, which version made them, and what the batch took."""

    version: VersionRef
    outputs: dict[str, NDArray[Any]]
    worker: str
    batch_rows: int
    queue_ms: float
    inference_ms: float

    def result(self, single: bool) -> Any:
        """The outputs as JSON says them: by name when there are several, for one row or as a list of rows.

        One row's output is a number when it is only one, else nested lists.
        """
        results = {name: _only_row(output) if single else output.tolist() for name, output in self.outputs.items()}
        return results if len(results) > 1 else next(iter(results.values()))


def _only_row(output: NDArray[Any]) -> Any:
    return output.item() if output.size == 1 else output[0].tolist()
