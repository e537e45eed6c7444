"""Values of weights that are no finite numbers: infinite ones load when the network answers by numbers, NaN never."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from workers.runtime.errors import WeightsError


def find_infinite(tensors: Iterable[tuple[str, Any]]) -> str:
    """The path of a tensor with infinite values, as a mask or a prior has; "" when there is none.

    Raises:
        WeightsError: a value is no number.
    """
    found = ""
    for path, tensor in tensors:
        # Other threads go on meanwhile, and no more than a byte a number is made of it.
        if not tensor.dtype.is_floating or np.isfinite(numbers := tensor.numpy()).all():
            continue
        if np.isnan(numbers).any():
            raise WeightsError(f"{path} holds values that are no numbers (NaN)")
        found = path
    return found
