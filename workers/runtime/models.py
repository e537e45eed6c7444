"""Keras models from architectures: built safely, measured before they are built, and their weights saved."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from workers.runtime.architecture_check import check_architecture
from workers.runtime.backend import Functional, ObjectSharingScope, item_bytes, keras, tf
from workers.runtime.bounded_variables import bounded_variables, too_large
from workers.runtime.errors import ArchitectureError
from workers.runtime.legacy_activations import hard_sigmoid_of_keras_2  # noqa: F401 - Keras finds it by its name
from workers.runtime.lookup_check import WORDS
from workers.runtime.lookups import Lookups
from workers.runtime.own_code import is_own, is_own_name, names_own_code
from workers.runtime.reasons import say_reason
from workers.runtime.row_memory import MIN_ROWS
from workers.runtime.signature import read_signature

T = TypeVar("T")

#: The most memory that a network may need, unless a setting says otherwise.
DEFAULT_MAX_BYTES = 2 * 1024**3
#: How a layer may be quantized. Others (gptq, awq) compute otherwise once weights are loaded, which a compiled call
#: would not see.
QUANTIZATIONS = {None, "int8", "int4", "float8"}
ZEROS: dict[str, Any] = {"module": "keras.initializers", "class_name": "Zeros", "config": {}, "registered_name": None}


def build_model(config: str, max_bytes: int = DEFAULT_MAX_BYTES, *, random_weights: bool = True) -> keras.Model:
    """A Keras model with fresh weights from its JSON config, after a look at what building it would take.

    Without `random_weights` they are zeros: drawing random ones takes three times their memory, and some initializers
    take minutes for large layers; all for nothing when weights are loaded next.

    Raises:
        ArchitectureError: the config describes no model that Keras builds safely, or one that is too large.
    """
    checked = check_architecture(config)
    own = names_own_code(json.loads(checked))
    if not own:
        _refuse_too_large(checked, max_bytes)
    described = checked if random_weights else json.dumps(_with_zeros(json.loads(checked)))
    return _in_new_thread(_build_own, described, max_bytes) if own else _build(described)


def _with_zeros(config: Any) -> Any:
    """The config with every initializer of Keras's own layers replaced by zeros.

    What own code does with an initializer is not known: it may make numbers that no file holds.
    """
    if isinstance(config, list):
        return [_with_zeros(each) for each in config]
    if not isinstance(config, dict) or is_own_name(config.get("registered_name")):
        return config
    return {key: ZEROS if key.endswith("_initializer") and each else _with_zeros(each) for key, each in config.items()}


def _build(checked: str) -> keras.Model:
    try:
        # In a `.keras` file's config a layer that two others share is described twice, with one number: it stays one.
        with ObjectSharingScope():
            model = keras.models.model_from_json(checked)
    except Exception as error:  # Keras raises whatever a value leads to
        raise ArchitectureError(f"Keras cannot build this architecture: {say_reason(error)}") from error
    if not isinstance(model, keras.Model):
        raise ArchitectureError("the architecture's JSON describes no model")
    for layer in model._flatten_layers():
        if layer.quantization_mode not in QUANTIZATIONS:
            raise ArchitectureError(
                f"{layer.name!r} is quantized by {layer.quantization_mode}: only int8, int4 and float8 are served"
            )
    return model


def _refuse_too_large(checked: str, max_bytes: int) -> None:
    """Build the model without its variables, and count what they, its vocabularies and two rows' way would take."""
    needed = _in_new_thread(_measure, checked)
    if needed > max_bytes:
        raise too_large(needed, max_bytes)


def _in_new_thread(call: Callable[..., T], *given: Any) -> T:
    """What the call gives; Keras remembers, by thread, variables that it has not initialised yet, and names it gave."""
    with ThreadPoolExecutor(1, thread_name_prefix="build") as building:
        return building.submit(call, *given).result()


def _measure(checked: str) -> int:
    # In a graph nothing is computed, such as the blocks that layers of int4 make when they are built. But there no
    # vocabulary has a size, and no layer's name a space.
    in_blocks = '"int4' in checked
    if in_blocks and any(f'"{name}"' in checked for name in WORDS):
        raise ArchitectureError("a network that reads words cannot be measured when it is quantized to int4: use int8")
    with tf.Graph().as_default() if in_blocks else nullcontext(), keras.StatelessScope(initialize_variables=False):
        model = _build(checked)
        read_signature(model)
        return _count_variables(model) + Lookups(model).size_bytes + MIN_ROWS * _measure_row(model)


def _measure_row(model: keras.Model) -> int:
    """Bytes that the layers' outputs take for one row as Keras says, unknown sizes counted as one.

    What layers make inside shows when the model is compiled; but there a size of 2 ** 40 may have become another one.
    """
    return sum(math.prod(size or 1 for size in each.shape) * item_bytes(each.dtype) for each in _row_outputs(model))


def _row_outputs(model: keras.Model) -> Iterator[Any]:
    for operation in model.operations if hasattr(model, "operations") else model.layers:
        if isinstance(operation, keras.Model):
            yield from _row_outputs(operation)
        for node in operation._inbound_nodes:
            yield from node.output_tensors


def _count_variables(model: keras.Model) -> int:
    return sum(math.prod(each.shape) * item_bytes(each.dtype) for each in model.variables)


def _build_own(checked: str, max_bytes: int) -> keras.Model:
    """Build a model of own code at once, held to the bytes: it may want numbers, or an optimizer, when it is built.

    In a new thread what it makes without a name is named as in a new process, and so on every worker alike.
    """
    with bounded_variables(max_bytes):
        model = _build(checked)
        read_signature(model)  # a subclassed one makes what it needs when it is called
        needed = _count_variables(model) + Lookups(model).size_bytes
    if needed > max_bytes:
        raise too_large(needed, max_bytes)
    return model


def is_dense_chain(model: keras.Model) -> bool:
    """Whether the model's variables are those of Dense layers, and each layer takes just the one before it."""
    if is_own(model) or not isinstance(model, keras.Sequential | Functional):
        return False
    if any(layer.weights and type(layer) is not keras.layers.Dense for layer in model.layers):
        return False
    if isinstance(model, keras.Sequential):
        return True
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        return False
    previous = model.inputs[0]
    for layer in model.layers:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        try:
            if layer.input is not previous:
                return False
            previous = layer.output
        except (AttributeError, ValueError):  # it is used twice
            return False
    return previous is model.outputs[0]


def weights_by_layer(model: keras.Model) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """For each layer with weights the numbers of these among the model's, those that are trained first."""
    numbers = {id(weight): number for number, weight in enumerate(model.weights)}
    weights = [(each.name, [*each.trainable_weights, *each.non_trainable_weights]) for each in model.layers]
    return tuple((name, tuple(numbers[id(each)] for each in own)) for name, own in weights if own)


def save_weights(model: keras.Model) -> bytes:
    """The model's weights as the bytes of a `.weights.h5` file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.weights.h5"
        model.save_weights(path)
        return path.read_bytes()
