"""What a client asks of /predict: one row in `vector`, or a batch of rows in `data`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.errors import BadInputError
from workers.arrays import to_tensor
from workers.protocol import Tensor

#: How deep `data` may be nested: more dimensions than any layer has.
MAX_DEPTH = 32


@dataclass(frozen=True)
class PredictInput:
    """The rows to predict; `single` when they came as one `vector`."""

    rows: Tensor
    single: bool


def read_predict_input(body: Any) -> PredictInput:
    """The rows that a request's JSON body holds.

    Raises:
        BadInputError: it holds none, or something that is no finite float32.
    """
    if not isinstance(body, dict):
        raise BadInputError('the body must be an object like {"vector": [0.1, 0.2]}')
    given = [name for name in ("vector", "data") if name in body]
    if len(given) != 1:
        raise BadInputError('the body must have either "vector" (one row) or "data" (a list of rows)')
    name = given[0]
    array = _read_numbers(name, body[name])
    single = name == "vector"
    if single and array.ndim != 1:
        raise BadInputError("vector must be a flat list of numbers; send several rows as data")
    if not single and array.ndim < 2:
        raise BadInputError("data must be a list of rows, each a list of numbers")
    return PredictInput(to_tensor(array[np.newaxis] if single else array), single)


def _read_numbers(name: str, value: Any) -> NDArray[np.float32]:
    if not isinstance(value, list) or not value:
        raise BadInputError(f"{name} must be a list of numbers that is not empty")
    # Before numpy sees them: it would make every element as wide as the longest text among them.
    if not _holds_numbers_only(value):
        raise BadInputError(f"{name} must hold numbers only, and at least one")
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise BadInputError(f"{name}: all rows must have the same length") from error
    if array.dtype.kind not in "fiu" or not array.size:
        raise BadInputError(f"{name} must hold numbers that a float32 can hold, and at least one")
    with np.errstate(over="ignore"):
        numbers = array.astype(np.float32)
    if not np.isfinite(numbers).all():
        raise BadInputError(f"{name} must hold finite numbers that a float32 can hold")
    return numbers


def _holds_numbers_only(value: list[Any], depth: int = 1) -> bool:
    """Whether all leaves of lists nested up to 32 deep are numbers; a truth value is none."""
    kinds = set(map(type, value))
    if kinds <= {int, float}:
        return True
    return kinds == {list} and depth < MAX_DEPTH and all(_holds_numbers_only(item, depth + 1) for item in value)
