"""Reads the tensors of a PyTorch `state_dict` file (the zip that `torch.save` writes) without torch.

The pickle in it is not run: only operations that build plain data are let through, and the few names such a file needs
stand for inert objects of this file. Runs in the helper process.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from workers.runtime.file_format import TORCH_PICKLE, open_archive, read_chunks, refuse_strange_members, torch_folder
from workers.runtime.stored_tensors import StoredTensor

MAX_PICKLE_BYTES = 4 * 1024 * 1024
MAX_DIMENSIONS = 8
#: Every operation in the pickles of `torch.save`: plain data, names, calls of those names, and references to storages.
_OPERATIONS = frozenset((
    "PROTO", "FRAME", "STOP", "GLOBAL", "REDUCE", "BUILD", "BINPERSID", "MARK", "MEMOIZE", "BINPUT", "LONG_BINPUT",
    "BINGET", "LONG_BINGET", "EMPTY_DICT", "SETITEM", "SETITEMS", "EMPTY_LIST", "APPEND", "APPENDS", "EMPTY_TUPLE",
    "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "BINUNICODE", "SHORT_BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1",
    "BINFLOAT", "NEWTRUE", "NEWFALSE", "NONE",
))  # fmt: skip
#: The storage types by the dtype of their numbers; bfloat16 is read as the upper half of a float32.
_STORAGES = {
    "FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "BFloat16Storage": "bfloat16",
    "LongStorage": "<i8", "IntStorage": "<i4", "ShortStorage": "<i2", "CharStorage": "|i1", "ByteStorage": "|u1",
    "BoolStorage": "|b1",
}  # fmt: skip


@dataclass(frozen=True)
class _StorageType:
    dtype: str


@dataclass(frozen=True)
class _Storage:
    dtype: str
    key: str
    count: int


@dataclass(frozen=True)
class _Tensor:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    #: The storage has the numbers with the other sign, as views of a conjugated tensor's imaginary part do.
    negated: bool


def _rebuild_tensor(
    storage: Any, offset: Any, shape: Any, strides: Any, _gradient: Any, hooks: Any, properties: Any = None
) -> _Tensor:
    if hooks or not isinstance(properties or {}, dict) or set(properties or {}) - {"neg"}:
        raise ValueError("a tensor of the file has properties that are not known: save `tensor.detach().clone()`")
    negated = bool((properties or {}).get("neg"))
    numbers = (offset, *shape, *strides)
    if not isinstance(storage, _Storage) or not all(type(number) is int and number >= 0 for number in numbers):
        raise ValueError("a tensor of the file has no storage, offset, shape and strides")
    if len(shape) != len(strides) or len(shape) > MAX_DIMENSIONS:
        raise ValueError(f"a tensor of the file has {len(shape)} dimensions and {len(strides)} strides")
    return _Tensor(storage, offset, tuple(shape), tuple(strides), negated)


def _rebuild_parameter(tensor: Any, _gradient: Any, hooks: Any) -> Any:
    if hooks:
        raise ValueError("a parameter of the file has hooks, which no file of plain tensors has")
    return tensor


_NAMES: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    **{("torch", name): _StorageType(dtype) for name, dtype in _STORAGES.items()},
}


class _Unpickler(pickle.Unpickler):
    """Knows the names above and no other."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _NAMES[module, name]
        except KeyError as error:
            raise ValueError(f"the file asks for {module}.{name}, which no file of plain tensors does") from error

    def persistent_load(self, reference: Any) -> _Storage:
        if not isinstance(reference, tuple) or len(reference) != 5 or reference[0] != "storage":
            raise ValueError("the file refers to something that is no storage")
        _, kind, key, _, count = reference
        if not isinstance(kind, _StorageType) or not isinstance(key, str) or type(count) is not int or count < 0:
            raise ValueError("a storage of the file has no type, key and size")
        return _Storage(kind.dtype, key, count)


def _check_operations(content: bytes) -> None:
    """Refuse, before anything is built, operations that a state_dict needs not, and lies that would cost memory."""
    for operation, argument, _ in pickletools.genops(content):
        if operation.name not in _OPERATIONS:
            raise ValueError(f"the file's pickle does what no file of plain tensors does ({operation.name})")
        if operation.name in ("BINPUT", "LONG_BINPUT") and int(argument or 0) > len(content):
            raise ValueError("the file's pickle is damaged")


def _read_state(content: bytes) -> dict[str, _Tensor]:
    _check_operations(content)
    try:
        state = _Unpickler(io.BytesIO(content), encoding="utf-8").load()
    except (pickle.UnpicklingError, TypeError, AttributeError, IndexError, KeyError, EOFError) as error:
        raise ValueError(f"the file's pickle is damaged: {error}") from error
    if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
        raise ValueError("the file holds no state_dict: save it by torch.save(model.state_dict(), path)")
    for name, value in state.items():
        if not isinstance(value, _Tensor):
            raise ValueError(f"{name} in the file is no tensor: save it by torch.save(model.state_dict(), path)")
    return state


class _Storages:
    """The storages of an archive; the one that was read last is kept, since tensors may share one."""

    def __init__(self, archive: zipfile.ZipFile, folder: str, max_bytes: int) -> None:
        self._archive = archive
        self._folder = folder
        self._max_bytes = max_bytes
        self._big_endian = self._read_byte_order() == b"big"
        self._last: tuple[_Storage, NDArray[Any]] | None = None

    def _read_byte_order(self) -> bytes:
        name = f"{self._folder}/byteorder"
        return b"".join(read_chunks(self._archive, name, 16)) if name in self._archive.namelist() else b"little"

    def read(self, storage: _Storage) -> NDArray[Any]:
        if self._last is None or self._last[0] != storage:
            self._last = storage, self._read(storage)
        return self._last[1]

    def _read(self, storage: _Storage) -> NDArray[Any]:
        stored = np.dtype("<u2" if storage.dtype == "bfloat16" else storage.dtype)
        size = storage.count * stored.itemsize
        if size > self._max_bytes:
            raise ValueError("the file holds more than the architecture's weights")
        content = b"".join(read_chunks(self._archive, f"{self._folder}/data/{storage.key}", size))
        if len(content) != size:
            raise ValueError(f"storage {storage.key} has {len(content)} bytes where its tensors need {size}")
        array = np.frombuffer(content, stored.newbyteorder(">") if self._big_endian else stored)
        if storage.dtype == "bfloat16":
            return (array.astype(np.uint32) << 16).view(np.float32)
        return array


def _reader(tensor: _Tensor, storages: _Storages) -> Callable[[], NDArray[Any]]:
    def read() -> NDArray[Any]:
        array = storages.read(tensor.storage)
        if not prod(tensor.shape):
            return np.empty(tensor.shape, array.dtype)
        steps = ((size - 1) * stride for size, stride in zip(tensor.shape, tensor.strides, strict=True))
        if tensor.offset + sum(steps) >= tensor.storage.count:
            raise ValueError("a tensor of the file reaches beyond its storage")
        strides = tuple(stride * array.itemsize for stride in tensor.strides)
        numbers = np.lib.stride_tricks.as_strided(array[tensor.offset :], tensor.shape, strides, writeable=False)
        return np.negative(numbers) if tensor.negated else numbers

    return read


@contextmanager
def open_torch_file(file: IO[bytes], max_bytes: int) -> Iterator[dict[str, StoredTensor]]:
    """The tensors of the file by their names, in its order.

    Raises:
        ValueError: the file is damaged, holds something else than tensors, or asks for code.
    """
    with open_archive(file) as archive:
        refuse_strange_members(archive)
        folder = torch_folder(archive.namelist())
        if folder is None:
            raise ValueError("the archive is none of torch.save")
        state = _read_state(b"".join(read_chunks(archive, f"{folder}/{TORCH_PICKLE}", MAX_PICKLE_BYTES)))
        storages = _Storages(archive, folder, max_bytes)
        yield {name: StoredTensor(tensor.shape, _reader(tensor, storages)) for name, tensor in state.items()}
