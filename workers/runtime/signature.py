"""The inputs and outputs of a network as its Keras model has them: names, dtypes, and the shapes of one row."""

from __future__ import annotations

from itertools import count
from typing import Any

from workers.messages.tensors import STRING, TENSORS_MAX, is_tensor_name
from workers.runtime.backend import keras
from workers.runtime.errors import ArchitectureError
from workers.runtime.rows import TensorInfo

SHOWN_NAME_CHARACTERS = 40
#: What a network may take and make; bfloat16 travels as float32.
DTYPES = {
    STRING, "bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64",
    "float16", "float32", "float64",
}  # fmt: skip


def describe_tensors(tensors: list[Any], structure: Any, names: list[str]) -> tuple[TensorInfo, ...]:
    """Inputs or outputs as a model has them: those right in the model's own dict by its keys, all others by `names`.

    Raises:
        ArchitectureError: one is no dense array of numbers or texts with any number of rows, or has no name to say.
    """
    if not 0 < len(tensors) <= TENSORS_MAX:
        raise ArchitectureError(f"a network has 1 to {TENSORS_MAX} inputs and outputs, this one {len(tensors)}")
    # The same tensor may be in the dict twice: it is its place that names it.
    places = [place for place, _ in keras.tree.flatten_with_path(structure)] if isinstance(structure, dict) else []
    keys = {number: place[0] for number, place in enumerate(places) if len(place) == 1}
    described: list[TensorInfo] = []
    for tensor, name in zip(tensors, _own_names(names, keys), strict=True):
        dtype = keras.backend.standardize_dtype(tensor.dtype).replace("bfloat16", "float32")
        if dtype not in DTYPES or tensor.sparse or getattr(tensor, "ragged", False):
            raise ArchitectureError(f"{name} is no dense array of numbers or texts but {dtype}")
        if not tensor.shape or tensor.shape[0] is not None:
            raise ArchitectureError(f"{name} has a fixed number of rows: make its layers for any number of them")
        described.append(TensorInfo(name, dtype, tuple(tensor.shape[1:])))
    return tuple(described)


def _own_names(names: list[str], keys: dict[int, str]) -> list[str]:
    """For each place its key, or else its name, with a number when it is taken.

    Raises:
        ArchitectureError: messages cannot hold one.
    """
    taken, own = set(keys.values()), []
    for place, name in enumerate(names):
        free = (f"{name}_{number}" if number else name for number in count())
        own.append(keys[place] if place in keys else next(each for each in free if each not in taken))
        taken.add(own[-1])
        if not is_tensor_name(own[-1]):
            shown = ascii(own[-1][:SHOWN_NAME_CHARACTERS])
            raise ArchitectureError(f"the name of an input or output is too long or cannot be printed: {shown}…")
    return own
