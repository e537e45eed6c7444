"""Between numpy arrays and the tensors of the protocol; texts are arrays of objects, each a `str`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.messages.tensors import DTYPES, STRING, Tensor, Tensors, read_texts, write_texts

#: The dtypes that are as they travel: numpy takes long to say a name.
NAMES = {np.dtype(name): name for name in DTYPES} if sys.byteorder == "little" else {}


def to_array(tensor: Tensor) -> NDArray[Any]:
    """The tensor's numbers, or texts, as a read-only array of its shape."""
    if tensor.dtype == STRING:
        return text_array(read_texts(tensor.data, prod(tensor.shape)), tensor.shape)
    if tensor.dtype == "bool":  # any byte may have come; numpy and TensorFlow expect 0 and 1
        numbers: NDArray[Any] = np.frombuffer(tensor.data, np.uint8) != 0
        numbers.flags.writeable = False
    else:
        numbers = np.frombuffer(tensor.data, np.dtype(tensor.dtype).newbyteorder("<"))
    return numbers.reshape(tensor.shape)


def text_array(texts: list[str], shape: Sequence[int]) -> NDArray[Any]:
    """Texts as a read-only array of objects: numpy's own texts lose NULs, and are all as wide as the widest."""
    array = np.array(texts, object).reshape(shape)
    array.flags.writeable = False
    return array


def to_tensor(array: NDArray[Any]) -> Tensor:
    """The array as a tensor, of the same dtype and shape.

    Raises:
        ProtocolError: it is of a dtype or shape that does not travel.
    """
    name = NAMES.get(array.dtype)
    if name is not None and array.shape:
        return Tensor(name, array.shape, array.tobytes())
    if array.dtype == object and array.shape:
        return Tensor(STRING, array.shape, write_texts(array.ravel().tolist()))
    # Of another byte order, or what no network has.
    array = array.astype(array.dtype.newbyteorder("<"))
    return Tensor(array.dtype.name, array.shape, array.tobytes()).check()


def to_arrays(tensors: Tensors) -> dict[str, NDArray[Any]]:
    """The tensors' numbers and texts by the same names."""
    return {name: to_array(tensor) for name, tensor in tensors.items()}


def to_tensors(arrays: Mapping[str, NDArray[Any]]) -> Tensors:
    """The arrays as tensors by the same names."""
    return {name: to_tensor(array) for name, array in arrays.items()}
