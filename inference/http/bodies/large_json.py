"""Reads large JSON bodies: many numbers become an array without having been Python's objects, which take longer.

simdjson reads a list of numbers into a buffer, however it is nested; that its lists have one shape shows in the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import simdjson
from numpy.typing import NDArray
from rest_framework.exceptions import ParseError

from inference.http.bodies.json_format import read_json
from inference.http.bodies.json_numbers import MAX_DEPTH, are_exact

#: All that a list of numbers has beside brackets and commas.
_OF_NUMBERS = b"0123456789+-.eE \t\r\n"
#: Stands for the list while the rest is read.
_PLACE, _PLACE_JSON = "\0the list", rb'"\u0000the list"'


def read_large_json(content: bytes) -> Any:
    """The value of a JSON text, as `read_json` has it; but an object's only list, of numbers, comes as a float64 array.

    A list that no such array says exactly (truth values, large whole numbers, lists of several lengths) stays a list.

    Raises:
        ParseError: it is no JSON.
    """
    first, last = content.find(b"["), content.rfind(b"]") + 1
    if 0 <= first < last and (numbers := _read_numbers(content[first:last])) is not None:
        try:
            rest = read_json(content[:first] + _PLACE_JSON + content[last:])
        except ParseError:  # the list stands in a text
            return read_json(content)
        places = [name for name, value in rest.items() if value == _PLACE] if isinstance(rest, dict) else []
        if len(places) == 1:
            return {**rest, places[0]: numbers}
    return read_json(content)


def _read_numbers(text: bytes) -> NDArray[np.float64] | None:
    try:
        read: Any = simdjson.Parser().parse(text)
        shape = _shape_of(read)
        numbers = np.frombuffer(read.as_buffer(of_type="d"), np.float64)
    except (ValueError, TypeError, IndexError, RuntimeError):  # no list, no numbers, none at all, too large ones
        return None
    if len(shape) > MAX_DEPTH or prod(shape) != numbers.size or text.translate(None, _OF_NUMBERS) != _brackets(shape):
        return None
    return numbers.reshape(shape) if are_exact(numbers) else None


def _shape_of(read: Any) -> list[int]:
    """As the first list of each depth has it."""
    shape: list[int] = []
    while isinstance(read, simdjson.Array) and len(shape) <= MAX_DEPTH:
        shape.append(len(read))
        read = read[0]
    return shape


def _brackets(shape: Sequence[int]) -> bytes:
    """What is left of lists of this shape without their numbers."""
    inner = b""
    for size in reversed(shape):
        inner = b"[" + b",".join([inner] * size) + b"]"
    return inner
