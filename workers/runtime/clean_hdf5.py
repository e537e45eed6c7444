"""Copies an HDF5 file's plain numeric arrays, and nothing else, to a new file that can then be read safely.

When the arrays are just those that Keras itself would save for the architecture, only their numbers are written, in the
order of its variables; else another HDF5 file, which Keras reads in its own ways and at its own pace.

Runs in the helper process, `workers.runtime.read_weights`: HDF5 can crash the process that reads a malformed file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from types import MappingProxyType
from typing import Any

import h5py
import ml_dtypes
import numpy as np

from workers.runtime.wanted_weights import IF_SHARD, Variable

#: What may be the matter with a file that has too few arrays.
IF_FEWER = f"{IF_SHARD}; if layers share one, send a .keras file that Keras itself loads: only its config says so"
MAX_DEPTH = 64
#: Groups and arrays visited in all: hard links can make a small file a tree without end.
MAX_MEMBERS = 20_000
MAX_ATTRIBUTE_CHARACTERS = 256
MAX_ATTRIBUTE_BYTES = 4096
#: A compressed chunk is unpacked whole, however little of it the array uses.
MAX_CHUNK_BYTES = 1024**2
ANY_NUMBER = "fiub"
OPAQUE_PAIR = np.dtype("V2")
#: What Keras adds to the weights of a compiled model: the state of its training, which a prediction does not need.
TRAINING_STATE = ("/optimizer", "/metrics")


class Copier:
    """Looks at groups and arrays, and copies them, within the bounds that the architecture gives."""

    def __init__(self, max_bytes: int, max_arrays: int, narrowest: str = "") -> None:
        self._bytes_left = max_bytes
        self._max_arrays = max_arrays
        self._narrowest = narrowest
        self._members = 0
        self.arrays: dict[str, h5py.Dataset] = {}

    def copy(self, source: h5py.Group, target: h5py.Group | None, depth: int = 0) -> None:
        """Copy the members of `source` to `target`; without one, only look at them.

        Raises:
            ValueError: the file holds something that no weights file of this architecture does.
        """
        if depth > MAX_DEPTH:
            raise ValueError(f"groups are nested more than {MAX_DEPTH} deep")
        if target is not None:
            _copy_texts(source, target)
        for name in source:
            self._members += 1
            if self._members > MAX_MEMBERS:
                raise ValueError(f"the file has more than {MAX_MEMBERS} groups and arrays")
            if not isinstance(source.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"{source.name}/{name} is a link to somewhere else")
            member = source[name]
            if member.name in TRAINING_STATE:
                continue
            if isinstance(member, h5py.Group):
                self.copy(member, None if target is None else target.create_group(name), depth + 1)
            else:
                self._check_array(member, f"{source.name}/{name}")
                self.arrays[member.name.removeprefix("/")] = member
                if target is not None:
                    numbers = member[()]
                    if self._narrowest:
                        _refuse_too_large(numbers, self._narrowest, f"{source.name}/{name}")
                    _copy_texts(member, target.create_dataset(name, data=numbers))

    def _check_array(self, member: Any, path: str) -> None:
        if not _dtype(member):
            raise ValueError(f"{path} is no array of numbers")
        if member.external or member.is_virtual:
            raise ValueError(f"{path} keeps its numbers in another file")
        if member.chunks and prod(member.chunks) * member.dtype.itemsize > max(MAX_CHUNK_BYTES, member.nbytes):
            raise ValueError(f"{path} comes in chunks that are larger than itself")
        self._bytes_left -= member.nbytes
        if self._bytes_left < 0 or len(self.arrays) >= self._max_arrays:
            raise ValueError("the file holds more than the architecture's weights")


def _dtype(member: Any) -> str:
    """Keras's name for the dtype of an array of numbers; "" for what is something else."""
    if not isinstance(member, h5py.Dataset):
        return ""
    # HDF5 has no bfloat16: Keras writes its two bytes as they are, and says so in an attribute.
    if member.dtype == OPAQUE_PAIR and _short_texts(member).get("dtype") == "bfloat16":
        return "bfloat16"
    return str(member.dtype.name) if member.dtype.kind in ANY_NUMBER else ""


def _refuse_too_large(numbers: Any, narrowest: str, path: str) -> None:
    """Refuse what Keras would make infinite, without a word, when it casts it to the network's narrowest floats."""
    if numbers.dtype.kind == "f" and (np.isfinite(numbers) & (np.abs(numbers) > _largest(narrowest))).any():
        raise ValueError(f"{path} holds a number that is too large for {narrowest}")


def _largest(dtype: str) -> float:
    return float(ml_dtypes.finfo(dtype).max)  # type: ignore[no-untyped-call]


def _copy_texts(source: Any, target: Any) -> None:
    for key, text in _short_texts(source).items():
        target.attrs[key] = text


def _short_texts(source: Any) -> dict[str, str]:
    """The short texts among the attributes; a large attribute is not even read."""
    small = [key for key in source.attrs if source.attrs.get_id(key).get_storage_size() <= MAX_ATTRIBUTE_BYTES]
    values = {key: source.attrs[key] for key in small}
    return {
        key: value for key, value in values.items() if isinstance(value, str) and len(value) <= MAX_ATTRIBUTE_CHARACTERS
    }


def clean(
    source: Path,
    target: Path,
    max_bytes: int,
    dtypes: Sequence[str],
    saved: Mapping[str, Variable] = MappingProxyType({}),
) -> str:
    """Copy the arrays of the file `source`, of at most `max_bytes` in all, to the new file `target`.

    `dtypes` are those of the arrays that Keras saves, one for each; `saved` are the network's variables, in order, by
    the names that Keras gives them in a file, when these are known. Returns what was written: "hdf5", or "tensors" when
    the arrays are just those.

    Raises:
        OSError: the source is no HDF5 file, or a damaged one.
        ValueError: it does not hold what the architecture's weights file would.
    """
    with h5py.File(source, "r") as opened:
        looked_at = Copier(max_bytes, len(dtypes))
        looked_at.copy(opened, None)
        if len(looked_at.arrays) != len(dtypes):
            said = f"the file holds {len(looked_at.arrays)} arrays, the architecture has {len(dtypes)}"
            raise ValueError(f"{said}. {IF_FEWER}" if len(looked_at.arrays) < len(dtypes) else said)
        narrowest = _narrowest_of_others(Counter(map(_dtype, looked_at.arrays.values())), Counter(dtypes))
        if _are_the_saved(looked_at.arrays, saved):
            with target.open("wb") as writer:
                for name in saved:
                    writer.write(np.ascontiguousarray(looked_at.arrays[name][()]).data)
            return "tensors"
        with h5py.File(target, "w") as cleaned:
            Copier(max_bytes, len(dtypes), narrowest).copy(opened, cleaned)
        return "hdf5"


def _narrowest_of_others(found: Counter[str], wanted: Counter[str]) -> str:
    """The network's narrowest floats, when the file's floats are others; "" when they are its own.

    Raises:
        ValueError: the whole numbers are not its own.
    """
    floats = [each for each in wanted if _is_float(each)]
    for dtype in found | wanted:
        if not _is_float(dtype) and found[dtype] != wanted[dtype]:
            raise ValueError(f"the file holds {found[dtype]} arrays of {dtype}, the architecture has {wanted[dtype]}")
    return "" if found == wanted else min(floats, key=_largest)


def _is_float(dtype: str) -> bool:
    return dtype.startswith(("float", "bfloat"))


def _are_the_saved(arrays: dict[str, Any], saved: Mapping[str, Variable]) -> bool:
    """Whether each variable's array is there under the name, and in the shape and dtype, that Keras gives it."""
    return arrays.keys() == saved.keys() and all(
        arrays[name].shape == variable.shape and arrays[name].dtype == np.dtype(variable.dtype)
        for name, variable in saved.items()
    )
