"""Finds the weights in a legacy `.h5` file, which has them by layer: a group each, and their names in an attribute.

Runs in the helper process, `workers.runtime.read_weights`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from math import prod
from typing import Any

import h5py

from workers.runtime.clean_hdf5 import Copier
from workers.runtime.file_format import WHOLE_MODEL
from workers.runtime.legacy_config import keras_3_name
from workers.runtime.stored_tensors import Found, StoredTensor, check_shapes
from workers.runtime.wanted_weights import Variable, WantedWeights

MODEL_WEIGHTS = "model_weights"
LAYER_NAMES, WEIGHT_NAMES = "layer_names", "weight_names"
#: The longest list of names that is read, in bytes; Keras splits it up at 64,512.
MAX_NAMES_BYTES = 1024**2
MAX_PARTS = 1000
#: What Keras 2 saves beside the weights: the state of random numbers, which a prediction does not need.
_RANDOM_STATE = "StateVar"
#: Backends of Keras 2 that compute convolutions otherwise than all others.
_OTHER_KERNELS = ("theano", "cntk")
#: What a name ends with that is used twice, and what TensorFlow adds to all.
_ENDING = re.compile(r"(_\d+)?(:\d+)?$")
#: Cells are numbered through in Keras 2, and not in Keras 3.
_CELL = re.compile(r"(?:lstm|gru|simple_rnn|conv_lstm\w*|stacked_rnn)_cells?(_\d+)?")
#: Two names of one thing.
_SAME = {"depthwise_kernel": "kernel"}


def is_legacy(file: h5py.File) -> bool:
    """Whether this is a whole model, or the weights of one, in the format before `.keras`."""
    return any(name in file.attrs for name in (WHOLE_MODEL, LAYER_NAMES, f"{LAYER_NAMES}0"))


def find_legacy(file: h5py.File, wanted: WantedWeights) -> Found:
    """The array for each variable of the architecture, by the layers' names and those of their weights.

    Raises:
        ValueError: the file holds something else.
    """
    group = _weights_group(file)
    backend = group.attrs.get("backend")
    backend = backend.decode("utf-8") if isinstance(backend, bytes) else backend
    if backend in _OTHER_KERNELS:
        raise ValueError(f"the file was written with Keras on {backend}, whose kernels are another way round")
    arrays = _arrays(group, wanted)
    saved = _saved_layers(group)
    found: dict[int, tuple[str, StoredTensor]] = {}
    for layer, numbers in wanted.layers:
        variables = [wanted.variables[number] for number in numbers]
        names = saved.pop(layer, [])
        for number, name in zip(numbers, _match(layer, names, variables, arrays), strict=True):
            found[number] = name, StoredTensor(arrays[name].shape, partial(arrays[name].__getitem__, ()))
    if saved:
        raise ValueError(f"the file has weights of {', '.join(list(saved)[:6])}: no such layer is in the architecture")
    if len(found) != len(wanted.variables):
        raise ValueError("the architecture has weights that belong to none of its layers, which a legacy file has not")
    ordered = [found[number] for number in range(len(wanted.variables))]
    check_shapes(ordered, wanted)
    return ordered


def _weights_group(file: h5py.File) -> h5py.Group:
    if WHOLE_MODEL not in file.attrs:
        return file
    if not isinstance(file.get(MODEL_WEIGHTS, getlink=True), h5py.HardLink):
        raise ValueError(f"the file is a whole model without a group {MODEL_WEIGHTS}")
    return file[MODEL_WEIGHTS]


def _arrays(group: h5py.Group, wanted: WantedWeights) -> dict[str, h5py.Dataset]:
    """The arrays below the group by their names in the file; each is one of numbers that are in this file."""
    looked_at = Copier(wanted.max_bytes + MAX_NAMES_BYTES, len(wanted.variables) + MAX_PARTS)
    looked_at.copy(group, None)
    return looked_at.arrays


def _saved_layers(group: h5py.Group) -> dict[str, list[str]]:
    """The names of each layer's arrays in their order, by the layer's name as Keras 3 has it; without empty layers."""
    saved: dict[str, list[str]] = {}
    for layer in [*_texts(group, LAYER_NAMES), "top_level_model_weights"]:
        # `_arrays` has seen that there is no link below this group; such a name leads out of it.
        if layer.startswith("/"):
            raise ValueError(f"the file has a layer {layer}, which is not among its weights")
        if layer not in group:
            continue
        inside = [
            name for name in _texts(group[layer], WEIGHT_NAMES) if not name.rpartition("/")[2].startswith(_RANDOM_STATE)
        ]
        if keras_3_name(layer) in saved:
            raise ValueError(f"the file has two layers whose name is {keras_3_name(layer)!r} to Keras 3")
        if inside:
            saved[keras_3_name(layer)] = [f"{group.name}/{layer}/{name}".lstrip("/") for name in inside]
    return saved


def _texts(group: Any, name: str) -> list[str]:
    """An attribute that lists texts, also one that is split up."""
    if not isinstance(group, h5py.Group):
        raise ValueError(f"{group.name} is no group")
    parts = [name] if name in group.attrs else []
    while not parts or parts[-1] != name:
        following = f"{name}{len(parts)}"
        if following not in group.attrs or len(parts) >= MAX_PARTS:
            break
        parts.append(following)
    return [text for part in parts for text in _part(group, part)]


def _part(group: h5py.Group, name: str) -> list[str]:
    listed = group.attrs.get_id(name)
    if prod(listed.shape) * listed.dtype.itemsize > MAX_NAMES_BYTES:
        raise ValueError(f"{group.name} has a list of names that is longer than {MAX_NAMES_BYTES} bytes")
    names = group.attrs[name]
    return [each.decode("utf-8") if isinstance(each, bytes) else str(each) for each in names]


def _match(
    layer: str, names: Sequence[str], variables: Sequence[Variable], arrays: dict[str, h5py.Dataset]
) -> Sequence[str]:
    """The array for each variable of a layer: by its name and that of what it is in; else by their order.

    By order only where that gives each variable one of its own name and shape.
    """
    if missing := [name for name in names if name not in arrays]:
        raise ValueError(f"the file lists {missing[0]}, and does not have it")
    if len(names) != len(variables):
        raise ValueError(f"the file has {len(names)} weights of {layer}, the architecture has {len(variables)}")
    by_key = {_key(name): name for name in names}
    keys = [_key(variable.path) for variable in variables]
    if len(by_key) == len(names) and by_key.keys() == set(keys):
        return [by_key[key] for key in keys]
    for name, variable in zip(names, variables, strict=True):
        if _key(name)[1] != _key(variable.path)[1] or arrays[name].shape != variable.shape:
            raise ValueError(f"the file has {name} where the architecture has {variable.path}")
    return names


def _key(path: str) -> tuple[str, str]:
    """What a weight is called, and what the layer is called that it is in."""
    parts = path.split("/")
    own = _ENDING.sub("", parts.pop())
    of = [part for part in parts if not _CELL.fullmatch(part)]
    return of[-1] if of else "", _SAME.get(own, own)
