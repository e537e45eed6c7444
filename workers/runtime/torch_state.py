"""Finds the `state_dict` in what a PyTorch file holds: it itself, or a checkpoint with the state_dict under one key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workers.runtime.torch_layers import shown
from workers.runtime.torch_pickle import TO_DO, Tensor

#: The dtype of what checkpoints keep of random number generators: such a tensor is no weight.
GENERATOR_STATE = "|u1"


@dataclass(frozen=True)
class TorchState:
    """The tensors of a state_dict, by name and in its order; `ignored` names all else in the file."""

    tensors: dict[str, Tensor]
    ignored: tuple[str, ...]


def find_state(held: Any) -> TorchState:
    """The state_dict in what the file's pickle holds.

    A checkpoint's is the one dict with weights in it, whatever its key. With two, or with weights beside it, nothing
    tells which one is meant.

    Raises:
        ValueError: there is none, or several.
    """
    if not isinstance(held, dict):
        raise ValueError(f"the file holds no state_dict but one {type(held).__name__}: {TO_DO}")
    inside = {key: value for key, value in held.items() if isinstance(value, dict) and _has_weights(value)}
    if not inside:
        return _state(held, ())
    if len(inside) > 1 or _has_weights(held):
        beside = [f"{_text(key)} (a tensor)" for key, value in held.items() if _is_weight(value)]
        names = shown([_text(key) for key in inside] + beside)
        raise ValueError(f"the file holds weights in several places ({names}), and nothing tells which to use: {TO_DO}")
    [(chosen, state)] = inside.items()
    return _state(state, tuple(_text(key) for key in held if key is not chosen))


def _state(state: dict[Any, Any], ignored: tuple[str, ...]) -> TorchState:
    tensors = {name: value for name, value in state.items() if isinstance(value, Tensor)}
    if not tensors or not all(isinstance(name, str) for name in tensors):
        raise ValueError(f"the file holds no state_dict: {TO_DO}")
    return TorchState(tensors, (*(_text(name) for name in state if name not in tensors), *ignored))


def _has_weights(state: dict[Any, Any]) -> bool:
    return any(_is_weight(value) for value in state.values())


def _is_weight(value: Any) -> bool:
    return isinstance(value, Tensor) and bool(value.shape) and value.storage.dtype != GENERATOR_STATE


def _text(key: Any) -> str:
    return key if isinstance(key, str) else type(key).__name__
