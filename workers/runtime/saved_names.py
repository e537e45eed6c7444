"""Under which names Keras saves an architecture's variables in a weights file: Keras itself is asked, once.

Keras finds them by walking all attributes of all layers, which takes it longer than all else in the loading of a small
network. With the names known, the helper process takes the numbers from the file, and Keras is not needed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np

from workers.runtime.backend import item_bytes, keras
from workers.runtime.load_folder import load_folder
from workers.runtime.wanted_weights import SavedArray

#: For larger networks there is nothing to gain: most of the time goes into their numbers.
MAX_BYTES = 16 * 1024**2
#: Dtypes in which every variable can be filled with a number of its own, and which a file holds as they are.
_MARKED_DTYPES = {"float32", "float64"}


def find_saved_names(model: keras.Model, saved: Sequence[SavedArray]) -> tuple[str, ...]:
    """The names of the arrays that hold the model's weights in a file that Keras saves, in the weights' order.

    `saved` are all arrays of such a file. The model's weights are lost. None are found, and Keras must load its files
    itself, when the model is large, or when an array is anything else than one weight's numbers, such as with LoRA.
    """
    weights = [SavedArray(tuple(each.shape), keras.backend.standardize_dtype(each.dtype)) for each in model.weights]
    size = sum(math.prod(each.shape) * item_bytes(each.dtype) for each in weights)
    if Counter(weights) != Counter(saved) or size > MAX_BYTES:
        return ()
    if not all(each.dtype in _MARKED_DTYPES and math.prod(each.shape) for each in weights):
        return ()
    for number, weight in enumerate(model.weights):
        weight.assign(np.full(weight.shape, number, weight.dtype))
    with load_folder() as folder:
        file = folder / "marked.weights.h5"
        model.save_weights(file)
        with h5py.File(file, "r") as opened:
            names = _names_by_number(opened)
            fit = names.keys() == set(range(len(model.weights))) and all(
                opened[names[number]].shape == tuple(weight.shape) for number, weight in enumerate(model.weights)
            )
    return tuple(names[number] for number in sorted(names)) if fit else ()


def _names_by_number(file: h5py.File) -> dict[int, str]:
    """The arrays' names by the number that each is filled with; empty when one is filled otherwise."""
    names: dict[int, str] = {}
    odd: list[str] = []

    def look_at(name: str, member: Any) -> None:
        if not isinstance(member, h5py.Dataset):
            return
        numbers = np.unique(member[()])
        if len(numbers) != 1 or int(numbers[0]) in names:
            odd.append(name)
        else:
            names[int(numbers[0])] = name

    file.visititems(look_at)
    return {} if odd else names
