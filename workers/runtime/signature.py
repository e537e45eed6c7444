"""The inputs and outputs of a network as its Keras model has them: names, dtypes, and the shapes of one row.

A subclassed model has none of its own: its `build_config` tells what it was called with, and it is called so once,
symbolically.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from itertools import count
from typing import Any

from workers.messages.tensors import STRING, TENSORS_MAX, is_tensor_name
from workers.runtime.backend import Functional, keras
from workers.runtime.errors import ArchitectureError
from workers.runtime.reasons import MAX_REASON_CHARACTERS, say_reason
from workers.runtime.rows import TensorInfo

#: The end of each argument's name in `build_config`.
_SHAPE = "_shape"
NO_BUILD_CONFIG = (
    "the architecture's model is subclassed and does not say what shape its rows have: call it once on rows "
    "(model(rows)) before model.save('model.keras'), so that Keras saves its build_config, and send that file"
)

SHOWN_NAME_CHARACTERS = 40
#: What a network may take and make; bfloat16 travels as float32.
DTYPES = {
    STRING, "bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64",
    "float16", "float32", "float64",
}  # fmt: skip


@dataclass(frozen=True)
class Signature:
    """What a model takes and makes, in the order of its flat tensors, and how it is called with them.

    `structure` is that of the inputs: a tensor, or tensors in a list or dict; with `by_keyword` a dict of arguments.
    """

    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    structure: Any
    by_keyword: bool = False

    def call(self, model: keras.Model, tensors: list[Any]) -> list[Any]:
        """The model's outputs for its inputs, both flat."""
        given = keras.tree.pack_sequence_as(self.structure, tensors)
        outputs = model(**given, training=False) if self.by_keyword else model(given, training=False)
        flat: list[Any] = keras.tree.flatten(outputs)
        return flat


def read_signature(model: keras.Model) -> Signature:
    """The signature of a built model.

    Raises:
        ArchitectureError: its inputs are of unknown shape, or one is no dense array of numbers.
    """
    if not isinstance(model, keras.Sequential | Functional):
        return _of_subclassed(model)
    if not model.built or not model.inputs or not model.outputs:
        raise ArchitectureError("the architecture must have inputs of known shape")
    chain = isinstance(model, keras.Sequential)
    structure = model.inputs[0] if chain else model.input
    output_names = _names_of_last(model) if chain else model.output_names
    return Signature(
        describe_tensors(model.inputs, structure, [tensor.name for tensor in model.inputs]),
        describe_tensors(model.outputs, None if chain else model.output, output_names, made=True),
        structure,
    )


def _names_of_last(chain: keras.Sequential) -> list[str]:
    """A chain's output is named by its last layer; when that is a network with several, as these are there."""
    last = chain.layers[-1]
    return [last.name] if len(chain.outputs) == 1 else getattr(last, "output_names", [last.name] * len(chain.outputs))


def _of_subclassed(model: keras.Model) -> Signature:
    build = model.get_build_config() or {}
    by_keyword = "shapes_dict" in build
    if not by_keyword and "input_shape" not in build:
        raise ArchitectureError(NO_BUILD_CONFIG)
    try:
        if by_keyword:
            structure = {name.removesuffix(_SHAPE): _tensors(shape) for name, shape in build["shapes_dict"].items()}
            outputs = model(**structure, training=False)
        else:
            structure = _tensors(build["input_shape"])
            outputs = model(structure, training=False)
    except Exception as error:  # own code raises whatever it likes
        shown = str(build)[:MAX_REASON_CHARACTERS]
        raise ArchitectureError(
            f"the model cannot be called on the shapes of its build_config, {shown}: {say_reason(error)} (where its "
            "call() takes several tensors, Keras saves all their shapes only if its build() takes a shape for each)"
        ) from error
    inputs, made = keras.tree.flatten(structure), keras.tree.flatten(outputs)
    if not all(isinstance(each, keras.KerasTensor) for each in made):
        raise ArchitectureError("the architecture's model makes something else than tensors")
    first = next(iter(inspect.signature(model.call).parameters), "input")
    return Signature(
        describe_tensors(inputs, structure, [first] * len(inputs)),
        describe_tensors(made, outputs, ["output"] * len(made), made=True),
        structure,
        by_keyword,
    )


def _tensors(shapes: Any) -> Any:
    """A symbolic tensor for each shape, in the same structure; they are floats, as in what Keras builds it with."""
    return keras.tree.map_shape_structure(keras.KerasTensor, shapes)


def describe_tensors(
    tensors: list[Any], structure: Any, names: list[str], *, made: bool = False
) -> tuple[TensorInfo, ...]:
    """Inputs or outputs as a model has them: those right in the model's own dict by its keys, all others by `names`.

    Whether what is `made` is dense shows when it is compiled: Keras says of `3 * x` that it is not.

    Raises:
        ArchitectureError: one is no dense array of numbers or texts with any number of rows, or has no name to say.
    """
    if not 0 < len(tensors) <= TENSORS_MAX:
        raise ArchitectureError(f"a network has 1 to {TENSORS_MAX} inputs and outputs, this one {len(tensors)}")
    # The same tensor may be in the dict twice: it is its place that names it.
    places = [place for place, _ in keras.tree.flatten_with_path(structure)] if isinstance(structure, dict) else []
    keys = {number: place[0] for number, place in enumerate(places) if len(place) == 1}
    described: list[TensorInfo] = []
    for tensor, name in zip(tensors, _own_names(names, keys), strict=True):
        dtype = keras.backend.standardize_dtype(tensor.dtype).replace("bfloat16", "float32")
        if dtype not in DTYPES or (not made and (tensor.sparse or getattr(tensor, "ragged", False))):
            raise ArchitectureError(f"{name} is no dense array of numbers or texts but {dtype}")
        if not tensor.shape or tensor.shape[0] is not None:
            raise ArchitectureError(f"{name} has a fixed number of rows: make its layers for any number of them")
        described.append(TensorInfo(name, dtype, tuple(tensor.shape[1:])))
    return tuple(described)


def _own_names(names: list[str], keys: dict[int, str]) -> list[str]:
    """For each place its key, or else its name, with a number when it is taken.

    Raises:
        ArchitectureError: messages cannot hold one.
    """
    taken, own = set(keys.values()), []
    for place, name in enumerate(names):
        free = (f"{name}_{number}" if number else name for number in count())
        own.append(keys[place] if place in keys else next(each for each in free if each not in taken))
        taken.add(own[-1])
        if not is_tensor_name(own[-1]):
            shown = ascii(own[-1][:SHOWN_NAME_CHARACTERS])
            raise ArchitectureError(f"the name of an input or output is too long or cannot be printed: {shown}…")
    return own
