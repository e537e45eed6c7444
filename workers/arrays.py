"""Between numpy arrays and the tensors of the protocol."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.protocol import Tensor


def to_array(tensor: Tensor) -> NDArray[Any]:
    """The tensor's numbers as a read-only array of its shape."""
    return np.frombuffer(tensor.data, np.dtype(tensor.dtype).newbyteorder("<")).reshape(tensor.shape)


def to_tensor(array: NDArray[Any]) -> Tensor:
    """The array as a tensor, of the same dtype and shape."""
    little_endian = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return Tensor(array.dtype.name, array.shape, little_endian.tobytes())
