"""Numbers and texts of a JSON body as arrays: in a dtype that holds each of them exactly as the client wrote it."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.errors import BadInputError
from workers.messages.arrays import text_array

#: How deep lists may be nested: more dimensions than any layer has.
MAX_DEPTH = 32
#: Below it, float64 holds every whole number.
EXACT_BELOW = 2.0**53
#: Whole numbers below those of 64 bits are read as this float, or as smaller ones.
BELOW_INT64 = -(2.0**63)
FLOATS, NUMBERS = {float}, {int, float}
#: Of so many numbers Python finds the smallest sooner than numpy.
FEW = 64


def read_numbers(name: str, value: Any) -> NDArray[Any]:
    """A number, or lists of numbers nested as deep as they are; in float64 unless they are larger whole numbers.

    An array has been read already (`large_json`). Texts come as `text_array` has them.

    So whatever digits they have, requests for one network have one dtype and can share a batch. Whole numbers from
    2**53 on come as int64 or uint64, truth values as bool. What is beyond 64 bits has been read as a float.

    Raises:
        BadInputError: `name` holds something else, nothing, or numbers that no dtype holds together.
    """
    if isinstance(value, np.ndarray):
        return value
    kinds = set(map(type, value)) if type(value) is list else set()
    if kinds == FLOATS:  # a row for a plain network, as most are
        shape, leaves = [len(value)], value
    else:
        shape, leaves, kinds = _flatten(name, value)
    if kinds == {bool}:
        return np.array(leaves, np.bool_).reshape(shape)
    if kinds == {str}:
        return _read_texts(name, leaves).reshape(shape)
    if not kinds or not kinds <= NUMBERS:
        raise BadInputError(f"{name} must hold numbers only, texts only, or truth values only, and at least one")
    try:
        numbers = np.frombuffer(array("d", leaves), np.float64)  # the fastest way from a list
    except OverflowError as error:
        raise BadInputError(f"{name} must hold numbers that 64 bits can hold") from error
    if not are_exact(numbers if len(leaves) > FEW else leaves):
        numbers = _read_large(name, leaves, _dtypes_to_try(kinds, leaves))
    return numbers.reshape(shape)


def _read_texts(name: str, leaves: list[str]) -> NDArray[Any]:
    try:
        for text in leaves:
            text.encode()
    except UnicodeEncodeError as error:
        raise BadInputError(f"{name} must hold texts that UTF-8 can say: {error}") from error
    return text_array(leaves, [len(leaves)])


def few_floats(value: list[Any]) -> bytes | None:
    """A short list of floats as they travel; None for anything else, and for what float64 may not hold.

    What most predictions bring: an array of so few numbers takes numpy five times as long.
    """
    if len(value) > FEW or sys.byteorder != "little" or set(map(type, value)) != FLOATS:
        return None
    return array("d", value).tobytes() if are_exact(value) else None


def are_exact(numbers: Sequence[int | float] | NDArray[Any]) -> bool:
    """Whether float64 holds each as it was written; one that it does not is rounded to no less than EXACT_BELOW."""
    if isinstance(numbers, np.ndarray):
        return bool(numbers.min() > -EXACT_BELOW and numbers.max() < EXACT_BELOW)
    return min(numbers) > -EXACT_BELOW and max(numbers) < EXACT_BELOW


def _flatten(name: str, value: Any) -> tuple[list[int], list[Any], set[type]]:
    """How many there are in each dimension, all that is no list, in order, and of which types that is; level by level,
    at the speed of C.
    """
    shape: list[int] = []
    level = [value]
    while (kinds := set(map(type, level))) == {list}:
        sizes = set(map(len, level))
        if len(sizes) > 1:
            break
        shape += sizes
        level = list(chain.from_iterable(level))
    if list in kinds or len(shape) > MAX_DEPTH:
        raise BadInputError(f"{name}: all rows must have the same length, and not be nested deeper than {MAX_DEPTH}")
    return shape, level, kinds


def _dtypes_to_try(kinds: set[type], leaves: list[int | float]) -> list[type]:
    if kinds == {int}:
        return [np.int64, np.uint64, np.float64]
    if BELOW_INT64 in leaves and any(type(leaf) is float and leaf == BELOW_INT64 for leaf in leaves):
        return [np.float64]  # it was perhaps written as a whole number that int64 does not hold
    return [np.float64, np.int64, np.uint64]


def _read_large(name: str, leaves: list[int | float], dtypes: list[type]) -> NDArray[Any]:
    objects = np.array(leaves, dtype=object)
    for dtype in dtypes:
        try:
            numbers: NDArray[Any] = objects.astype(dtype)
        except (OverflowError, ValueError):  # it is too large for this dtype, or infinite, or no number
            continue
        # Python compares whole numbers with floats exactly.
        if numbers.tolist() == leaves and np.isfinite(numbers).all():
            return numbers
    raise BadInputError(f"{name} must hold finite numbers that float64, int64 or uint64 can hold together")
