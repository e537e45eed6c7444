"""The rows that a network takes: its inputs by name, and whether what was given fits them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.messages.tensors import ONLY_INPUT, STRING
from workers.runtime.errors import NumbersError, RowsError


@dataclass(frozen=True)
class TensorInfo:
    """An input or output of a network: its name and dtype in Keras, and the shape of one row."""

    name: str
    dtype: str
    row_shape: tuple[int | None, ...]

    @property
    def numpy_dtype(self) -> np.dtype[Any]:
        """That of its arrays: texts are objects."""
        return np.dtype(object if self.dtype == STRING else self.dtype)

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether a row of this shape is one; a size of None stands for any."""
        return len(shape) == len(self.row_shape) and all(
            wanted is None or wanted == size for wanted, size in zip(self.row_shape, shape, strict=True)
        )


def arrange_rows(inputs: tuple[TensorInfo, ...], given: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
    """The given arrays in the order and the dtypes of the inputs; of shapes (rows,) or (rows, 1) where a row is (1,).

    Raises:
        RowsError: an input is missing or unknown, or its rows have another shape, number or kind.
    """
    if len(inputs) == 1 and given.keys() == {ONLY_INPUT}:
        arrays = [given[ONLY_INPUT]]
    elif given.keys() == {each.name for each in inputs}:
        arrays = [given[each.name] for each in inputs]
    else:
        names = ", ".join(repr(each.name) for each in inputs)
        raise RowsError(f"the network's inputs are {names}, got {', '.join(map(repr, given)) or 'none'}")
    arrays = [_as_rows(info, array) for info, array in zip(inputs, arrays, strict=True)]
    for info, array in zip(inputs, arrays, strict=True):
        if not array.ndim or not info.fits(array.shape[1:]) or not len(array):
            of = f" for {info.name!r}" if len(inputs) > 1 else ""
            raise RowsError(f"the network takes rows of shape {info.row_shape}{of}, got {array.shape[1:]}")
    if any(len(array) != len(arrays[0]) for array in arrays):
        counts = ", ".join(f"{len(array)} for {info.name!r}" for info, array in zip(inputs, arrays, strict=True))
        raise RowsError(f"every input needs the same number of rows, got {counts}")
    return [cast(info, array) for info, array in zip(inputs, arrays, strict=True)]


def _as_rows(info: TensorInfo, array: NDArray[Any]) -> NDArray[Any]:
    """A row that is one number may come without a list of its own."""
    return array[:, np.newaxis] if array.ndim == 1 and info.row_shape == (1,) else array


def cast(info: TensorInfo, array: NDArray[Any]) -> NDArray[Any]:
    """The array in the input's dtype; a number may lose digits where the input takes floats, else it stays what it is.

    Raises:
        NumbersError: a number is too large, or no whole one where the input takes whole ones.
        RowsError: what was given is no number at all, or no text where the input takes texts.
    """
    dtype = info.numpy_dtype
    if array.dtype == dtype:
        return array
    if array.dtype.kind not in "fiu" or info.dtype == STRING:
        got = STRING if array.dtype.kind == "O" else array.dtype
        raise RowsError(f"{info.name!r} takes {info.dtype}, got {got}")
    with np.errstate(invalid="ignore", over="ignore"):
        converted = array.astype(dtype)
    if dtype.kind == "f":
        if not np.isfinite(converted).all() and (np.isfinite(array) & ~np.isfinite(converted)).any():
            raise NumbersError(f"{info.name!r} takes {dtype}, got a number that is too large for {dtype}")
    elif not _in_range(dtype, array) or not (converted == array).all():
        raise NumbersError(f"{info.name!r} takes {dtype}, got numbers that are none")
    return converted


def _in_range(dtype: np.dtype[Any], array: NDArray[Any]) -> bool:
    """Whether every number lies in the range of whole numbers; what a larger one becomes depends on the processor."""
    lowest, highest = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    if array.dtype.kind == "f" and float(lowest - 1) == lowest:
        lowest += 1  # the same float stands for whole numbers below the range: JSON is read so
    # As Python's numbers, which compare exactly: numpy would round the range of 64 bits to a float.
    return not array.size or bool(lowest <= array.min().item() and array.max().item() <= highest)
