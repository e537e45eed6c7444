"""Numbers of a JSON body as arrays: in a dtype that holds each of them exactly as the client wrote it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.errors import BadInputError

#: How deep lists may be nested: more dimensions than any layer has.
MAX_DEPTH = 32
#: Below it, float64 holds every whole number.
EXACT_BELOW = 2.0**53
#: Whole numbers below those of 64 bits are read as this float, or as smaller ones.
BELOW_INT64 = -(2.0**63)


def read_numbers(name: str, value: Any) -> NDArray[Any]:
    """A number, or lists of numbers nested as deep as they are; in float64 unless they are larger whole numbers.

    So whatever digits they have, requests for one network have one dtype and can share a batch. Whole numbers from
    2**53 on come as int64 or uint64, truth values as bool. What is beyond 64 bits has been read as a float.

    Raises:
        BadInputError: `name` holds something else, nothing, or numbers that no dtype holds together.
    """
    # As objects first: numpy would make truth values numbers, and every element as wide as the longest text.
    objects = np.array(value, dtype=object)
    leaves = objects.ravel().tolist()
    kinds = set(map(type, leaves))
    if list in kinds or objects.ndim > MAX_DEPTH:
        raise BadInputError(f"{name}: all rows must have the same length, and not be nested deeper than {MAX_DEPTH}")
    if kinds == {bool}:
        return objects.astype(np.bool_)
    if not kinds or not kinds <= {int, float}:
        raise BadInputError(f"{name} must hold numbers only, or truth values only, and at least one")
    try:
        numbers = objects.astype(np.float64)
    except OverflowError as error:
        raise BadInputError(f"{name} must hold numbers that 64 bits can hold") from error
    if np.abs(numbers).max() < EXACT_BELOW:
        return numbers
    return _read_large(name, objects, leaves, _dtypes_to_try(kinds, leaves))


def _dtypes_to_try(kinds: set[type], leaves: list[int | float]) -> list[type]:
    if kinds == {int}:
        return [np.int64, np.uint64, np.float64]
    if BELOW_INT64 in leaves and any(type(leaf) is float and leaf == BELOW_INT64 for leaf in leaves):
        return [np.float64]  # it was perhaps written as a whole number that int64 does not hold
    return [np.float64, np.int64, np.uint64]


def _read_large(name: str, objects: NDArray[Any], leaves: list[int | float], dtypes: list[type]) -> NDArray[Any]:
    for dtype in dtypes:
        try:
            numbers: NDArray[Any] = objects.astype(dtype)
        except (OverflowError, ValueError):  # it is too large for this dtype, or infinite, or no number
            continue
        # Python compares whole numbers with floats exactly.
        if numbers.ravel().tolist() == leaves and np.isfinite(numbers).all():
            return numbers
    raise BadInputError(f"{name} must hold finite numbers that float64, int64 or uint64 can hold together")
