"""How much memory a compiled function takes while it computes, by the operations of its graph.

No shape tells how many rows come, how long they are, or how many words a text has: a size of a tensor that is not known
when the function is compiled is one of these. TensorFlow computes at once what does not wait for one another, so each
tensor is held from the step in which it can be there to the last one that takes it, branches beside one another; what
an operation needs for itself is not counted.
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
        steps: dict[str, int] = {}
        last_use: dict[str, int] = {}
        for operation in operations:
            before = [*(each.op for each in operation.inputs), *operation.control_inputs]
            steps[operation.name] = step = 1 + max((steps.get(each.name, 0) for each in before), default=-1)
            for each in operation.inputs:
                last_use[each.name] = max(step, last_use.get(each.name, 0))
        end = max(steps.values(), default=0) + 1
        changes = np.zeros((end + 1, MAX_POWER + 2))
        rows = MergedRows()
        for operation in operations:
            rows.follow(operation)
            if operation.type == "Placeholder":  # the weights, and the rows, which are there already
                continue
            for made in operation.outputs:
                column, size = _count(made, operation, rows)
                changes[steps[operation.name], column] += size
                # What nothing takes is an answer, or as small as one.
                changes[last_use.get(made.name, end - 1) + 1, column] -= size
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


class MergedRows:
    """How many of a tensor's first size stand for one row, where rows were merged with what they have: `(-1, 1)`."""

    def __init__(self) -> None:
        self._merged: dict[str, float] = {}

    def follow(self, operation: Any) -> None:
        """Note it of what an operation makes; in the order in which they were made."""
        given = [each for each in operation.inputs if _unknown_first(each)]
        merged = max((self.of(each) for each in given), default=1.0)
        for made in operation.outputs:
            if not _unknown_first(made):
                continue
            here = merged
            if operation.type == "Reshape" and given and _sizes(given[0]).count(None) == _sizes(made).count(None):
                here = merged * _known(given[0]) / max(_known(made), 1)
            if here > 1.0:
                self._merged[made.name] = here

    def of(self, tensor: Any) -> float:
        """One, where nothing was merged."""
        return self._merged.get(tensor.name, 1.0)


def _count(tensor: Any, operation: Any, rows: MergedRows) -> tuple[int, float]:
    """The column of what a tensor takes, and how much: 0 for what is fixed, 1 for a row, 2 for each word of a row, ….

    Its first unknown size is that of the rows; but in a list it may be all words of all rows.
    """
    if operation.type == "TensorListFromTensor":  # a list of what it was made of
        tensor = operation.inputs[0]
    # What is stacked is held in a list as well, until it is.
    twice = 2 if operation.type == "TensorListStack" else 1
    sizes = _sizes(tensor)
    unknown = sizes.count(None)
    column = unknown + (unknown == len(sizes) == 1)
    size = twice * _known(tensor) * item_bytes(tensor.dtype.name)
    return min(column, MAX_POWER + 1), size * (rows.of(tensor) if column else 1)


def _sizes(tensor: Any) -> list[int | None]:
    return [None] if tensor.shape.rank is None else tensor.shape.as_list()


def _unknown_first(tensor: Any) -> bool:
    sizes = _sizes(tensor)
    return bool(sizes) and sizes[0] is None


def _known(tensor: Any) -> int:
    return math.prod(size for size in _sizes(tensor) if size is not None)
