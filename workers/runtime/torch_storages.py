"""Where a PyTorch file keeps the numbers of its storages, and how they are read: of each no more than is asked for.

A tensor may be a view of a storage that is much larger than the network.
"""

from __future__ import annotations

import zipfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from workers.runtime.file_format import open_member, read_chunks
from workers.runtime.torch_pickle import BFLOAT16, Storage


class Storages(ABC):
    """The storages of one file."""

    byte_order: Literal["<", ">"] = "<"

    @abstractmethod
    def read_bytes(self, storage: Storage, start: int, size: int) -> bytes:
        """So many bytes of a storage from `start` on; fewer when the file ends before."""

    def read(self, storage: Storage, first: int, count: int) -> NDArray[Any]:
        """`count` numbers of a storage from the number `first` on, which are within it.

        Raises:
            ValueError: the file does not hold that many.
        """
        stored = stored_dtype(storage)
        size = count * stored.itemsize
        content = self.read_bytes(storage, first * stored.itemsize, size)
        if len(content) != size:
            raise ValueError(f"storage {storage.key} has {len(content)} bytes where its tensors need {size}")
        array = np.frombuffer(content, stored.newbyteorder(self.byte_order))
        if storage.dtype == BFLOAT16:
            return (array.astype(np.uint32) << 16).view(np.float32)
        return array


def stored_dtype(storage: Storage) -> np.dtype[Any]:
    """How a storage's numbers lie in the file."""
    return np.dtype("<u2" if storage.dtype == BFLOAT16 else storage.dtype)


class ArchiveStorages(Storages):
    """Those of the zip that PyTorch has written since 1.6: a member each."""

    def __init__(self, archive: zipfile.ZipFile, folder: str) -> None:
        self._archive = archive
        self._folder = folder
        name = f"{folder}/byteorder"
        order = b"".join(read_chunks(archive, name, 16)) if name in archive.namelist() else b"little"
        self.byte_order = ">" if order == b"big" else "<"
        #: The last storage that was read, and its member: a step forward in it is cheap, opening it anew is not.
        self._last: tuple[Storage, IO[bytes]] | None = None

    def read_bytes(self, storage: Storage, start: int, size: int) -> bytes:
        """See `Storages`.

        Raises:
            ValueError: the archive has no such storage, or one of another size.
        """
        if self._last is None or self._last[0] != storage:
            whole = storage.count * stored_dtype(storage).itemsize
            self._last = storage, open_member(self._archive, f"{self._folder}/data/{storage.key}", whole)
        self._last[1].seek(start)
        return self._last[1].read(size)


class TailStorages(Storages):
    """Those of a file in the format before 1.6: one after the other at its end, each behind its count in eight bytes.

    They are little-endian whatever machine wrote them.
    """

    def __init__(self, file: IO[bytes], keys: Any, storages: Mapping[str, Storage]) -> None:
        """`keys` are the storages' in their order in the file, which stands at the first.

        Raises:
            ValueError: they are not the storages that the file's tensors refer to.
        """
        if not isinstance(keys, list) or sorted(map(str, keys)) != sorted(storages):
            raise ValueError("the file's list of storages is not of those that its tensors have")
        self._file = file
        self._starts: dict[str, int] = {}
        place = file.tell()
        for key in keys:
            storage = storages[str(key)]
            file.seek(place)
            if int.from_bytes(file.read(8), "little") != storage.count:
                raise ValueError(f"storage {storage.key} has another size than its tensors say, or is cut off")
            self._starts[storage.key] = place + 8
            place += 8 + storage.count * stored_dtype(storage).itemsize

    def read_bytes(self, storage: Storage, start: int, size: int) -> bytes:
        """See `Storages`."""
        self._file.seek(self._starts[storage.key] + start)
        return self._file.read(size)
