"""The rows that a network is first tried with: zeros, or empty texts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.messages.tensors import STRING
from workers.runtime.backend import item_bytes
from workers.runtime.errors import NumbersError
from workers.runtime.row_memory import MIN_ROWS
from workers.runtime.rows import TensorInfo

#: What stands for a size that is not fixed, one after the other: convolutions want more than a little.
SIZES = (1, 32, 256, 4096)
#: The most bytes of an input that a network is tried with.
PLAIN_BYTES_MAX = 512 * 1024**2


def plain_rows(inputs: Sequence[TensorInfo], samples: Sequence[NDArray[Any]], size: int) -> dict[str, NDArray[Any]]:
    """The fewest rows that are computed, by input; of a word of `samples` where just the words of a vocabulary may be.

    Raises:
        NumbersError: with this size in place of those that are not fixed, they are too large.
    """
    given = {}
    for info, known in zip(inputs, samples, strict=True):
        shape = (MIN_ROWS, *(size if wanted is None else wanted for wanted in info.row_shape))
        if math.prod(shape) * item_bytes(info.dtype) > PLAIN_BYTES_MAX:
            raise NumbersError(f"{info.name!r} is too large to be tried: rows of shape {shape[1:]}")
        plain = known[-1:] if len(known) else np.array(["" if info.dtype == STRING else 0])
        given[info.name] = np.broadcast_to(plain.astype(info.numpy_dtype), shape)
    return given
