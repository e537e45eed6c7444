"""Between numpy arrays and the tensors of the protocol."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.messages.tensors import DTYPES, Tensor, Tensors

#: The dtypes that are as they travel: numpy takes long to say a name.
NAMES = {np.dtype(name): name for name in DTYPES} if sys.byteorder == "little" else {}


def to_array(tensor: Tensor) -> NDArray[Any]:
    """The tensor's numbers as a read-only array of its shape."""
    if tensor.dtype == "bool":  # any byte may have come; numpy and TensorFlow expect 0 and 1
        numbers: NDArray[Any] = np.frombuffer(tensor.data, np.uint8) != 0
        numbers.flags.writeable = False
    else:
        numbers = np.frombuffer(tensor.data, np.dtype(tensor.dtype).newbyteorder("<"))
    return numbers.reshape(tensor.shape)


def to_tensor(array: NDArray[Any]) -> Tensor:
    """The array as a tensor, of the same dtype and shape."""
    name = NAMES.get(array.dtype)
    if name is not None and array.shape:
        return Tensor(name, array.shape, array.tobytes())
    # Of another byte order, or what no network has.
    array = array.astype(array.dtype.newbyteorder("<"))
    return Tensor(array.dtype.name, array.shape, array.tobytes()).check()


def to_arrays(tensors: Tensors) -> dict[str, NDArray[Any]]:
    """The tensors' numbers by the same names."""
    return {name: to_array(tensor) for name, tensor in tensors.items()}


def to_tensors(arrays: Mapping[str, NDArray[Any]]) -> Tensors:
    """The arrays as tensors by the same names."""
    return {name: to_tensor(array) for name, array in arrays.items()}
