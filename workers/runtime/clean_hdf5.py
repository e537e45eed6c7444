"""Copies an HDF5 file's plain numeric arrays, and nothing else, to a new file that Keras can then read safely.

Runs in the helper process, `workers.runtime.read_weights`: HDF5 can crash the process that reads a malformed file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py

MAX_DEPTH = 64
#: Groups and arrays visited in all: hard links can make a small file a tree without end.
MAX_MEMBERS = 100_000
MAX_ATTRIBUTE_CHARACTERS = 256
#: What Keras adds to the weights of a compiled model: the state of its training, which a prediction does not need.
TRAINING_STATE = "/optimizer"
#: What marks a whole model in the format before `.keras`.
WHOLE_MODEL = "model_config"


class Copier:
    """Copies groups and arrays within the bounds that the architecture gives."""

    def __init__(self, max_bytes: int, max_arrays: int) -> None:
        self._bytes_left = max_bytes
        self._max_arrays = max_arrays
        self._members = 0
        self.arrays = 0

    def copy(self, source: h5py.Group, target: h5py.Group, depth: int = 0) -> None:
        """Copy the members of `source` to `target`.

        Raises:
            ValueError: the file holds something that no weights file of this architecture does.
        """
        if depth > MAX_DEPTH:
            raise ValueError(f"groups are nested more than {MAX_DEPTH} deep")
        for key, value in source.attrs.items():
            if isinstance(value, str) and len(value) <= MAX_ATTRIBUTE_CHARACTERS:
                target.attrs[key] = value
        for name in source:
            self._members += 1
            if self._members > MAX_MEMBERS:
                raise ValueError(f"the file has more than {MAX_MEMBERS} groups and arrays")
            if not isinstance(source.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"{source.name}/{name} is a link to somewhere else")
            member = source[name]
            if member.name == TRAINING_STATE:
                continue
            if isinstance(member, h5py.Group):
                self.copy(member, target.create_group(name), depth + 1)
            else:
                self._copy_array(member, target, name)

    def _copy_array(self, member: Any, target: h5py.Group, name: str) -> None:
        if not isinstance(member, h5py.Dataset) or member.dtype.kind not in "fiub":
            raise ValueError(f"{target.name}/{name} is no array of numbers")
        if member.external or member.is_virtual:
            raise ValueError(f"{target.name}/{name} keeps its numbers in another file")
        self.arrays += 1
        self._bytes_left -= member.nbytes
        if self._bytes_left < 0 or self.arrays > self._max_arrays:
            raise ValueError("the file holds more than the architecture's weights")
        copied = target.create_dataset(name, data=member[()])
        for key, value in member.attrs.items():
            if isinstance(value, str) and len(value) <= MAX_ATTRIBUTE_CHARACTERS:
                copied.attrs[key] = value


def clean(source: Path, target: Path, max_bytes: int, arrays: int) -> None:
    """Copy the `arrays` arrays of the file `source`, of at most `max_bytes` in all, to the new file `target`.

    Raises:
        OSError: the source is no HDF5 file, or a damaged one.
        ValueError: it does not hold what the architecture's weights file would.
    """
    copier = Copier(max_bytes, arrays)
    with h5py.File(source, "r") as opened, h5py.File(target, "w") as cleaned:
        if WHOLE_MODEL in opened.attrs:
            raise ValueError(
                "this is a whole model in Keras's legacy .h5 format, which can hold code: save it as .keras"
            )
        copier.copy(opened, cleaned)
    if copier.arrays != arrays:
        raise ValueError(f"the file holds {copier.arrays} arrays, the architecture has {arrays}")
