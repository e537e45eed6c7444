"""Reads the pickles of `torch.save` without torch, and without running them.

Only operations that build plain data are let through, and the few names that such a pickle needs stand for inert
objects of this file. Runs in the helper process.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from collections import OrderedDict
from dataclasses import dataclass
from typing import IO, Any

MAX_PICKLE_BYTES = 4 * 1024 * 1024
MAX_DIMENSIONS = 8
BFLOAT16 = "bfloat16"
TO_DO = "save it by torch.save(model.state_dict(), path)"
#: Every operation in the pickles of `torch.save`: plain data, names, calls of those names, and references to storages.
_OPERATIONS = frozenset((
    "PROTO", "FRAME", "STOP", "GLOBAL", "REDUCE", "BUILD", "BINPERSID", "MARK", "MEMOIZE", "BINPUT", "LONG_BINPUT",
    "BINGET", "LONG_BINGET", "EMPTY_DICT", "SETITEM", "SETITEMS", "EMPTY_LIST", "APPEND", "APPENDS", "EMPTY_TUPLE",
    "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "BINUNICODE", "SHORT_BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1",
    "BINFLOAT", "NEWTRUE", "NEWFALSE", "NONE",
))  # fmt: skip
#: The storage types by the dtype of their numbers; bfloat16 is read as the upper half of a float32.
_STORAGES = {
    "FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "BFloat16Storage": BFLOAT16,
    "LongStorage": "<i8", "IntStorage": "<i4", "ShortStorage": "<i2", "CharStorage": "|i1", "ByteStorage": "|u1",
    "BoolStorage": "|b1",
}  # fmt: skip


class _Sealed:
    """What no pickle may change: BUILD would write attributes past `frozen`, and what is shared outlives the file."""

    __slots__ = ()

    def __setstate__(self, state: object) -> None:
        raise ValueError(f"the file changes what it is made of, which no file of plain tensors does: {TO_DO}")


@dataclass(frozen=True)
class _StorageType(_Sealed):
    dtype: str


@dataclass(frozen=True)
class Storage(_Sealed):
    """So many numbers of a dtype, by numpy's name or BFLOAT16; `key` tells where in the file they are."""

    dtype: str
    key: str
    count: int


@dataclass(frozen=True)
class Tensor(_Sealed):
    """Which numbers of a storage a tensor is; offset and strides count numbers."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    #: The storage has the numbers with the other sign, as views of a conjugated tensor's imaginary part do.
    negated: bool

    def check(self) -> None:
        """Refuse numbers that are none, or that could lead in front of the storage.

        Raises:
            ValueError: there are such, or the strides are not those of the shape.
        """
        numbers = (self.offset, *self.shape, *self.strides)
        if not isinstance(self.storage, Storage) or not all(type(each) is int and each >= 0 for each in numbers):
            raise ValueError("a tensor of the file has no storage, offset, shape and strides")
        dimensions, strides = len(self.shape), len(self.strides)
        if dimensions != strides or dimensions > MAX_DIMENSIONS:
            raise ValueError(f"a tensor of the file has {dimensions} dimensions and {strides} strides")


class _RebuildTensor(_Sealed):
    """Stands for the function of torch; no function itself, since a pickle could change its defaults."""

    __slots__ = ()

    def __call__(
        self, storage: Any, offset: Any, shape: Any, strides: Any, _gradient: Any, hooks: Any, properties: Any = None
    ) -> Tensor:
        if hooks or not isinstance(properties or {}, dict) or set(properties or {}) - {"neg"}:
            raise ValueError("a tensor of the file has properties that are not known: save `tensor.detach().clone()`")
        negated = bool((properties or {}).get("neg"))
        tensor = Tensor(storage, offset, tuple(shape), tuple(strides), negated)
        tensor.check()
        return tensor


class _RebuildParameter(_Sealed):
    __slots__ = ()

    def __call__(self, tensor: Any, _gradient: Any, hooks: Any) -> Any:
        if hooks:
            raise ValueError("a parameter of the file has hooks, which no file of plain tensors has")
        return tensor


#: One process reads many files, so none may change anything here: only what OrderedDict makes takes BUILD.
_NAMES: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _RebuildTensor(),
    ("torch._utils", "_rebuild_parameter"): _RebuildParameter(),
    **{("torch", name): _StorageType(dtype) for name, dtype in _STORAGES.items()},
}


class _Unpickler(pickle.Unpickler):
    """Knows the names above and no other."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content), encoding="utf-8")
        self.storages: dict[str, Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _NAMES[module, name]
        except KeyError as error:
            raise ValueError(
                f"the file asks for {module}.{name}, which no file of plain tensors does: {TO_DO}"
            ) from error

    def persistent_load(self, reference: Any) -> Storage:
        if not isinstance(reference, tuple) or len(reference) not in (5, 6) or reference[0] != "storage":
            raise ValueError("the file refers to something that is no storage")
        # Before 1.6 there is one more: of which storage this is a part, which only the first releases wrote.
        _, kind, key, _, count, *part_of = reference
        if any(each is not None for each in part_of):
            raise ValueError(f"a storage of the file is a part of another, as no PyTorch since 0.4 writes it: {TO_DO}")
        if not isinstance(kind, _StorageType) or not isinstance(key, str) or type(count) is not int or count < 0:
            raise ValueError("a storage of the file has no type, key and size")
        storage = Storage(kind.dtype, key, count)
        if self.storages.setdefault(key, storage) != storage:
            raise ValueError(f"storage {key} of the file is of two types or sizes")
        return storage


def read_pickle(file: IO[bytes]) -> tuple[Any, dict[str, Storage]]:
    """What the pickle that begins here holds, and the storages that it refers to by their keys; the file is left at its
    end. Plain data and `Tensor`s only.

    Raises:
        ValueError: the pickle is damaged, too long, or asks for what no file of plain tensors needs.
    """
    start = file.tell()
    content = file.read(MAX_PICKLE_BYTES)
    content = content[: _check_operations(content)]
    file.seek(start + len(content))
    unpickler = _Unpickler(content)
    try:
        return unpickler.load(), unpickler.storages
    except (pickle.UnpicklingError, TypeError, AttributeError, IndexError, KeyError, EOFError) as error:
        raise ValueError(f"the file's pickle is damaged: {error}") from error


def _check_operations(content: bytes) -> int:
    """Refuse, before anything is built, operations that a state_dict needs not, and lies that would cost memory.

    Returns where the pickle ends.
    """
    reader = io.BytesIO(content)
    for operation, argument, _ in pickletools.genops(reader):
        if operation.name not in _OPERATIONS:
            raise ValueError(
                f"the file's pickle makes more than tensors, as one of a whole network does ({operation.name}): {TO_DO}"
            )
        if operation.name in ("BINPUT", "LONG_BINPUT") and int(argument or 0) > len(content):
            raise ValueError("the file's pickle is damaged")
    return reader.tell()
