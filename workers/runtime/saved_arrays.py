"""Which arrays Keras saves of a model: the layers themselves are asked, and nothing is written.

They are not just the variables. A LoRA layer saves its kernel with A and B merged into it, and loads B as zeros;
`SpectralNormalization` saves its kernel twice.
"""

from __future__ import annotations

from typing import Any

from workers.runtime.backend import keras
from workers.runtime.wanted_weights import SavedArray


def list_saved_arrays(model: keras.Model) -> tuple[SavedArray, ...]:
    """The arrays of a file that Keras saves of the model, in no order that counts."""
    saved: list[SavedArray] = []
    for layer in model._flatten_layers():
        store: dict[str, Any] = {}
        layer.save_own_variables(store)
        saved += [SavedArray(tuple(each.shape), keras.backend.standardize_dtype(each.dtype)) for each in store.values()]
    return tuple(saved)
