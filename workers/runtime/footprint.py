"""How much memory a compiled function takes while it computes, by the operations of its graph.

No shape tells how many rows come, how long they are, or how many words a text has: a size of a tensor that is not known
when the function is compiled is one of these. A tensor is held from the operation that makes it to the last one that
takes it, in the order in which they were made; what an operation needs for itself is not counted.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.runtime.backend import item_bytes

#: Rows are counted by themselves, and their length to this power at most, as where every word meets every other.
MAX_POWER = 4


class Footprint:
    """What is held at each step: bytes of fixed size, and bytes a row, by the power of the row's length."""

    def __init__(self, graph: Any) -> None:
        operations = graph.get_operations()
        last_use = {each.name: step for step, operation in enumerate(operations) for each in operation.inputs}
        # What nothing takes is an answer, or as small as one.
        changes = np.zeros((len(operations) + 1, MAX_POWER + 2))
        for step, operation in enumerate(operations):
            if operation.type == "Placeholder":  # the weights, and the rows, which are there already
                continue
            for made in operation.outputs:
                column, size = _count(made)
                changes[step, column] += size
                changes[last_use.get(made.name, len(operations) - 1) + 1, column] -= size
        held = np.unique(np.cumsum(changes[:-1], axis=0), axis=0)
        self._fixed: NDArray[np.float64] = held[:, 0]
        self._by_power: NDArray[np.float64] = held[:, 1:]

    def rows_within(self, budget: int, length: int) -> int:
        """The most rows of a length that can be computed at once within so many bytes; 0 when not even one can."""
        a_row = self._by_power @ float(length) ** np.arange(MAX_POWER + 1)
        rows = (budget - self._fixed) / np.maximum(a_row, 1)
        return max(0, int(rows.min())) if len(rows) else budget

    def bytes_of(self, rows: int, length: int) -> int:
        """What so many rows of a length take."""
        a_row = self._by_power @ float(length) ** np.arange(MAX_POWER + 1)
        return int((self._fixed + rows * a_row).max(initial=0))


def _count(tensor: Any) -> tuple[int, int]:
    """The column of what a tensor takes, and how much: 0 for what is fixed, 1 for a row, 2 for each word of a row, ….

    Its first unknown size is that of the rows; but in a list it may be all words of all rows.
    """
    sizes = [None] if tensor.shape.rank is None else tensor.shape.as_list()
    unknown = sizes.count(None)
    column = unknown + (unknown == len(sizes) == 1)
    known = math.prod(size for size in sizes if size is not None) * item_bytes(tensor.dtype.name)
    return min(column, MAX_POWER + 1), known
