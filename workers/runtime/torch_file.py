"""Reads the tensors of a PyTorch `state_dict` file without torch: the zip of `torch.save`, and its format before 1.6.

The pickle in it is not run; see `torch_pickle`. Runs in the helper process.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from workers.runtime.file_format import (
    OLD_TORCH_SIGNATURE,
    TORCH_PICKLE,
    open_archive,
    read_chunks,
    refuse_strange_members,
    torch_folder,
)
from workers.runtime.stored_tensors import StoredTensor, StoredTensors
from workers.runtime.torch_pickle import MAX_PICKLE_BYTES, Tensor, read_pickle
from workers.runtime.torch_state import TorchState, find_state
from workers.runtime.torch_storages import ArchiveStorages, Storages, TailStorages, stored_dtype

#: A view's numbers may lie apart: so many bytes, beside what the weights take, are read at most to find them.
SPREAD_BYTES_MAX = 64 * 1024**2


@contextmanager
def open_torch_file(file: IO[bytes], max_bytes: int) -> Iterator[StoredTensors]:
    """The tensors of the file, in its order; none takes much more memory than `max_bytes`.

    Raises:
        ValueError: the file is damaged, holds something else than tensors, or asks for code.
    """
    file.seek(0)
    if file.read(len(OLD_TORCH_SIGNATURE)) == OLD_TORCH_SIGNATURE:
        yield _open_old(file, max_bytes)
        return
    with open_archive(file) as archive:
        refuse_strange_members(archive)
        folder = torch_folder(archive.namelist())
        if folder is None:
            raise ValueError("the archive is none of torch.save")
        content = b"".join(read_chunks(archive, f"{folder}/{TORCH_PICKLE}", MAX_PICKLE_BYTES))
        held, _ = read_pickle(io.BytesIO(content))
        yield _stored(find_state(held), ArchiveStorages(archive, folder), max_bytes)


def _open_old(file: IO[bytes], max_bytes: int) -> StoredTensors:
    """The format before 1.6: five pickles, and the storages behind them."""
    file.seek(0)
    for _what_wrote_it in ("number of the format", "version", "machine"):
        read_pickle(file)
    held, storages = read_pickle(file)
    keys, _ = read_pickle(file)
    return _stored(find_state(held), TailStorages(file, keys, storages), max_bytes)


def _stored(state: TorchState, storages: Storages, max_bytes: int) -> StoredTensors:
    tensors = {
        name: StoredTensor(tensor.shape, _reader(name, tensor, storages, max_bytes))
        for name, tensor in state.tensors.items()
    }
    return StoredTensors(tensors, state.ignored)


def _reader(name: str, tensor: Tensor, storages: Storages, max_bytes: int) -> Callable[[], NDArray[Any]]:
    def read() -> NDArray[Any]:
        tensor.check()  # as_strided reads wherever it is told to
        dtype = stored_dtype(tensor.storage)
        if not prod(tensor.shape):
            return np.empty(tensor.shape, dtype)
        steps = ((size - 1) * stride for size, stride in zip(tensor.shape, tensor.strides, strict=True))
        count = sum(steps) + 1
        if tensor.offset + count > tensor.storage.count:
            raise ValueError("a tensor of the file reaches beyond its storage")
        if count * dtype.itemsize > max_bytes + SPREAD_BYTES_MAX:
            raise ValueError(f"{name} is a view whose numbers lie far apart in the file: save `tensor.clone()`")
        array = storages.read(tensor.storage, tensor.offset, count)
        strides = tuple(stride * array.itemsize for stride in tensor.strides)
        numbers = np.lib.stride_tricks.as_strided(array, tensor.shape, strides, writeable=False)
        return np.negative(numbers) if tensor.negated else numbers

    return read
