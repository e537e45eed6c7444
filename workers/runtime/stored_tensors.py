"""Finds, among the named tensors of a file, the one for each variable of an architecture.

Three ways, and no guessing: by the variables' paths; as PyTorch names Dense layers; by number, if all names end in one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import ml_dtypes  # noqa: F401 - makes bfloat16 known to numpy
import numpy as np
from numpy.typing import NDArray

from workers.runtime.live_paths import match_places
from workers.runtime.torch_layers import Layer, orders_of_use, refuse_several
from workers.runtime.wanted_weights import IF_SHARD, Variable, WantedWeights

_SHOWN_NAMES = 6
ORDER_IS_FOR_TORCH = "order is for tensors that are named as PyTorch names them: layer.weight, layer.bias"
OTHER_LAYERS = (
    "Of PyTorch's names only those of Linear layers, one behind the other, are known: build the network in Keras and "
    "save it as .keras, or send safetensors with the names and shapes of the architecture's variables"
)
_NUMBERED = re.compile(r"(.*?)(\d{1,9})")


@dataclass(frozen=True)
class StoredTensor:
    """A tensor of a file; `read` brings its numbers into memory, which is not done before the shape is known to fit."""

    shape: tuple[int, ...]
    read: Callable[[], NDArray[Any]]
    transposed: bool = False

    @property
    def network_shape(self) -> tuple[int, ...]:
        """The shape that the network sees."""
        return self.shape[::-1] if self.transposed else self.shape


@dataclass(frozen=True)
class StoredTensors:
    """The tensors of a file by their names; `ignored` names what else is in it."""

    by_name: dict[str, StoredTensor]
    ignored: tuple[str, ...] = ()


#: A tensor for each variable, by its name.
Found = list[tuple[str, StoredTensor]]


@dataclass(frozen=True)
class Choice:
    """A tensor for each variable, one of `orders` ways to use the file's layers; `ignored` names what nothing uses."""

    found: Found
    orders: int
    ignored: tuple[str, ...]


def choose(stored: StoredTensors, wanted: WantedWeights) -> Choice:
    """A tensor for each variable. A single number that is no variable, such as a count of steps, is no layer's.

    Raises:
        ValueError: the tensors are not those of the architecture.
    """
    has_numbers = any(not variable.shape for variable in wanted.variables)
    tensors = {name: tensor for name, tensor in stored.by_name.items() if tensor.shape or has_numbers}
    found, orders = _choose(tensors, wanted)
    check_shapes(found, wanted)
    return Choice(found, orders, (*(name for name in stored.by_name if name not in tensors), *stored.ignored))


def check_shapes(found: Found, wanted: WantedWeights) -> None:
    """Hold each tensor to the shape of its variable.

    Raises:
        ValueError: one has another shape.
    """
    for variable, (name, tensor) in zip(wanted.variables, found, strict=True):
        if tensor.network_shape != variable.shape:
            raise ValueError(
                f"{name} has the shape {tensor.network_shape}, the architecture's {variable.path} has {variable.shape}"
            )


def arrange(found: Found, wanted: WantedWeights) -> Iterator[NDArray[Any]]:
    """For each variable its numbers, in the variable's dtype, one array in memory at a time.

    Raises:
        ValueError: they are of another kind, or too large for the dtype.
    """
    for variable, (name, tensor) in zip(wanted.variables, found, strict=True):
        yield _convert(name, tensor, variable)


def _convert(name: str, tensor: StoredTensor, variable: Variable) -> NDArray[Any]:
    array, dtype = tensor.read(), np.dtype(variable.dtype)
    if (dtype.kind in "iub") != (array.dtype.kind in "iub"):
        raise ValueError(f"{name} holds {array.dtype}, the architecture's {variable.path} is {dtype}")
    with np.errstate(over="ignore"):
        converted = array.astype(dtype)
    kept = converted == array if dtype.kind in "iub" else np.isfinite(converted) | ~np.isfinite(array)
    if not kept.all():
        raise ValueError(f"{name} holds a number that is too large for {dtype}")
    return np.ascontiguousarray(converted.T if tensor.transposed else converted)


def _choose(tensors: dict[str, StoredTensor], wanted: WantedWeights) -> tuple[Found, int]:
    by_path = _by_path(tensors, wanted)
    as_torch = _as_torch(tensors, wanted) if by_path is None else None
    if as_torch is not None:
        return as_torch
    if wanted.order:
        raise ValueError(ORDER_IS_FOR_TORCH)
    found = by_path or _by_number(tensors, wanted)
    if found is not None:
        return found, 1
    said = (
        f"the file holds {len(tensors)} tensors ({_shown(list(tensors))}), the architecture has "
        f"{len(wanted.variables)} ({_shown([variable.path for variable in wanted.variables])})"
    )
    if tensors.keys() < {variable.path for variable in wanted.variables}:
        raise ValueError(f"{said}. {IF_SHARD}")
    raise ValueError(f"{said}. {OTHER_LAYERS}" if _has_other_layers(tensors) else said)


def _has_other_layers(tensors: dict[str, StoredTensor]) -> bool:
    """Whether PyTorch named the tensors, and some are none that a Linear layer has."""
    kinds = {name.rpartition(".")[2] for name in tensors}
    return "weight" in kinds and not kinds <= {"weight", "bias"}


def _shown(names: list[str]) -> str:
    more = ", …" if len(names) > _SHOWN_NAMES else ""
    return ", ".join(names[:_SHOWN_NAMES]) + more


def _by_path(tensors: dict[str, StoredTensor], wanted: WantedWeights) -> Found | None:
    """By the variables' paths, with or without the model's name in front, or those that they had in a live model."""
    prefix = wanted.model_name + "/"
    paths = [variable.path for variable in wanted.variables]
    for names in (paths, [prefix + path for path in paths], [path.removeprefix(prefix) for path in paths]):
        if tensors.keys() == set(names) and len(tensors) == len(names):
            return [(name, tensors[name]) for name in names]
    matched = match_places(list(tensors), [variable.place for variable in wanted.variables], wanted.model_name)
    return [(name, tensors[name]) for name in matched] if matched else None


def _by_number(tensors: dict[str, StoredTensor], wanted: WantedWeights) -> Found | None:
    """In the order of the numbers that the names end with, all else in the names being the same."""
    matches = {name: _NUMBERED.fullmatch(name) for name in tensors}
    numbers = {name: int(match[2]) for name, match in matches.items() if match}
    beginnings = {match[1] for match in matches.values() if match}
    if len(set(numbers.values())) != len(tensors) or len(beginnings) != 1 or len(tensors) != len(wanted.variables):
        return None
    return [(name, tensors[name]) for name in sorted(tensors, key=numbers.__getitem__)]


def _as_torch(tensors: dict[str, StoredTensor], wanted: WantedWeights) -> tuple[Found, int] | None:
    """As the state_dict of PyTorch's Linear layers names them; see `torch_layers` for which layer is which."""
    layers: dict[str, dict[str, str]] = {}
    for name in tensors:
        of_layer, _, kind = name.rpartition(".")
        if kind not in ("weight", "bias"):
            return None
        layers.setdefault(of_layer, {})[kind] = name
    if not wanted.dense_chain:
        raise ValueError(f"the architecture is no plain chain of Dense layers. {OTHER_LAYERS}")
    of_file = []
    for name, named in layers.items():
        if "weight" not in named:
            raise ValueError(f"{name}.bias has no {name}.weight")
        of_file.append(Layer(name, tensors[named["weight"]].shape[::-1], "bias" in named))
    orders = orders_of_use(of_file, _dense_layers(wanted), wanted.order)
    if wanted.choice is None:
        refuse_several(orders)
    found: Found = []
    for layer in orders[wanted.choice or 0]:
        named = layers[layer.name]
        weight = tensors[named["weight"]]
        found.append((named["weight"], StoredTensor(weight.shape, weight.read, transposed=True)))
        if layer.bias:
            found.append((named["bias"], tensors[named["bias"]]))
    return (found, len(orders)) if len(found) == len(wanted.variables) else None


def _dense_layers(wanted: WantedWeights) -> list[Layer]:
    """The layers of a plain chain: each has a kernel, and a bias behind it or none."""
    kernels = [number for number, variable in enumerate(wanted.variables) if len(variable.shape) == 2]
    ends = [*kernels[1:], len(wanted.variables)]
    return [
        Layer(wanted.variables[kernel].path, wanted.variables[kernel].shape, bias=end - kernel > 1)
        for kernel, end in zip(kernels, ends, strict=False)
    ]
