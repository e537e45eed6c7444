"""The helper process that reads uploaded HDF5 files: HDF5 can crash the process that reads a malformed one.

It copies a file's plain numeric arrays, and nothing else, to a new file that Keras can then read safely. It
speaks JSON lines on standard input and output, and ends when its input does.
"""

from __future__ import annotations

import json
import resource
import sys
import traceback
from typing import Any

import h5py

MAX_DEPTH = 64
#: Groups and arrays visited in all: hard links can make a small file a tree without end.
MAX_MEMBERS = 20_000
MAX_ATTRIBUTE_CHARACTERS = 256
#: Address space of the helper in bytes: a file that needs more is refused, not swapped for.
ADDRESS_SPACE_BYTES = 8 * 1024**3
#: What Keras adds to the weights of a compiled model: the state of its training, which a prediction does not need.
TRAINING_STATE = "/optimizer"


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


def clean(request: dict[str, Any]) -> None:
    """Copy the arrays of the file `source` to the new file `target`.

    Raises:
        OSError: the source is no HDF5 file, or a damaged one.
        ValueError: it does not hold what the architecture's weights file would.
    """
    copier = Copier(int(request["max_bytes"]), int(request["arrays"]))
    with h5py.File(request["source"], "r") as source, h5py.File(request["target"], "w") as target:
        copier.copy(source, target)
    if copier.arrays != request["arrays"]:
        raise ValueError(f"the file holds {copier.arrays} arrays, the architecture has {request['arrays']}")


def main() -> None:
    """Answer one line for each line, until the worker closes the pipe."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin:
        answer: dict[str, str] = {}
        try:
            clean(json.loads(line))
        except Exception as error:  # noqa: BLE001 - whatever h5py raises is the answer; the worker reports it
            answer = {"error": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
