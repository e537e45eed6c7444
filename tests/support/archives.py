"""Zip archives and torch files that tests make by hand."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from typing import Any


def archive(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive of these members."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as writer:
        for name, content in members.items():
            writer.writestr(name, content)
    return target.getvalue()


class Global:
    """Stands for a name in a pickle; calling it is written as a call, not done."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name

    def __call__(self, *arguments: Any) -> Call:
        return Call(self, arguments)


class Call:
    """A call in a pickle."""

    def __init__(self, function: Global, arguments: tuple[Any, ...]) -> None:
        self.function, self.arguments = function, arguments


class Changed:
    """A value in a pickle with the operation that sets its state, BUILD."""

    def __init__(self, value: Any, state: Any) -> None:
        self.value, self.state = value, state


class Storage:
    """A reference to a storage in a pickle."""

    def __init__(self, kind: str, key: Any, count: Any) -> None:
        self.reference = ("storage", Global("torch", kind), key, "cpu", count)


class _Pickler(pickle._Pickler):  # type: ignore[name-defined, misc]
    """Python's own pickler, which can be told to write names that cannot be imported here."""

    def save(self, value: Any, save_persistent_id: bool = True) -> Any:
        if isinstance(value, Global):
            return self.write(b"c" + f"{value.module}\n{value.name}\n".encode())
        if isinstance(value, Call):
            self.save(value.function)
            self.save(value.arguments)
            return self.write(b"R")
        if isinstance(value, Changed):
            self.save(value.value)
            self.save(value.state)
            return self.write(b"b")
        if isinstance(value, Storage):
            self.save(value.reference)
            return self.write(b"Q")
        return super().save(value, save_persistent_id)


def pickled(value: Any) -> bytes:
    """The pickle of plain values and of the four above."""
    target = io.BytesIO()
    _Pickler(target, 2).dump(value)
    return target.getvalue()


def tensor(
    kind: str = "FloatStorage",
    key: Any = "0",
    count: Any = 6,
    offset: Any = 0,
    shape: Any = (2, 3),
    strides: Any = (3, 1),
    properties: dict[str, Any] | None = None,
) -> Call:
    """A tensor as `torch.save` writes it; `properties` only where it has some."""
    rebuild = Global("torch._utils", "_rebuild_tensor_v2")
    more = () if properties is None else (properties,)
    hooks = Global("collections", "OrderedDict")()
    return rebuild(Storage(kind, key, count), offset, shape, strides, False, hooks, *more)


def torch_file(state: Any, storages: dict[str, bytes], **members: bytes) -> bytes:
    """An archive of `torch.save` with this state and these storages."""
    content = state if isinstance(state, bytes) else pickled(state)
    data = {f"net/data/{key}": value for key, value in storages.items()}
    return archive({"net/data.pkl": content, **data, **{f"net/{name}": value for name, value in members.items()}})


def ordered(**tensors: Any) -> OrderedDict[str, Any]:
    """A state in this order."""
    return OrderedDict(tensors)
