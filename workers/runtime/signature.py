"""The inputs and outputs of a network as its Keras model has them: names, dtypes, and the shapes of one row."""

from __future__ import annotations

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
    if isinstance(structure, dict):
        # The same tensor may be there twice, so it is its place that names it; and a layer may be called like a key.
        places = [place for place, _ in keras.tree.flatten_with_path(structure)]
        names = [f"{name}_1" if name in structure else name for name in names]
        names = [place[0] if len(place) == 1 else name for place, name in zip(places, names, strict=True)]
    described: list[TensorInfo] = []
    for tensor, given_name in zip(tensors, names, strict=True):
        name = _own_name(given_name, described)
        dtype = keras.backend.standardize_dtype(tensor.dtype).replace("bfloat16", "float32")
        if dtype not in DTYPES or tensor.sparse or getattr(tensor, "ragged", False):
            raise ArchitectureError(f"{name} is no dense array of numbers or texts but {dtype}")
        if not tensor.shape or tensor.shape[0] is not None:
            raise ArchitectureError(f"{name} has a fixed number of rows: make its layers for any number of them")
        described.append(TensorInfo(name, dtype, tuple(tensor.shape[1:])))
    return tuple(described)


def _own_name(name: str, described: list[TensorInfo]) -> str:
    """The name, with a number when others have it already."""
    taken = sum(each.name == name or each.name.startswith(f"{name}_") for each in described)
    own = f"{name}_{taken}" if taken else name
    if not is_tensor_name(own):
        shown = ascii(own[:SHOWN_NAME_CHARACTERS])
        raise ArchitectureError(f"the name of an input or output is too long or cannot be printed: {shown}…")
    return own
