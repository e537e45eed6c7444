"""TensorFlow functions in a functional model of Keras 2 (`a + b`, `x[:, 0]`, `tf.nn.relu(x)`), as Keras 3 operations.

Those in the table compute the same with the same arguments; a model with any other is refused.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field
from typing import Any

from workers.runtime.errors import ArchitectureError
from workers.runtime.legacy_nodes import Calls, arguments, is_reference, nodes, references

Json = dict[str, Any]

FUNCTION_LAYERS = ("TFOpLambda", "SlicingOpLambda")
GET_ITEM = "__operators__.getitem"


@dataclass(frozen=True)
class Operation:
    """One of Keras 3's operations: `options` are its arguments' names by TensorFlow's, `given` what it always gets.

    `more` is what TensorFlow calls the second tensor, if there is one.
    """

    module: str
    name: str
    more: str = ""
    options: Json = field(default_factory=dict)
    given: Json = field(default_factory=dict)


def _of(module: str, name: str, more: str = "", given: Json | None = None, **options: str) -> Operation:
    return Operation(f"keras.src.ops.{module}", name, more, options, given or {})


_ALIKE = {
    "numpy": "math.negative=Negative math.abs=Absolute math.square=Square math.sqrt=Sqrt math.exp=Exp math.log=Log"
    " math.sin=Sin math.cos=Cos math.tanh=Tanh nn.tanh=Tanh",
    "nn": "nn.relu=Relu nn.relu6=Relu6 nn.elu=Elu nn.selu=Selu math.sigmoid=Sigmoid nn.sigmoid=Sigmoid"
    " math.softplus=Softplus nn.softplus=Softplus nn.softsign=Softsign",
    "math": "math.rsqrt=Rsqrt",
}
_WITH_Y = (
    "__operators__.add=Add math.add=Add math.subtract=Subtract math.multiply=Multiply math.truediv=TrueDivide"
    " math.divide=TrueDivide math.floordiv=FloorDivide math.floormod=Mod math.pow=Power math.maximum=Maximum"
    " math.minimum=Minimum"
)
#: Of whole numbers they are whole in TensorFlow, or run over; or have another type.
_OTHER_FOR_WHOLE_NUMBERS = frozenset(
    {"math.reduce_mean", "math.reduce_sum", "math.reduce_prod", "math.truediv", "math.divide"}
)
_REDUCE = "math.reduce_mean=Mean math.reduce_sum=Sum math.reduce_max=Max math.reduce_min=Min math.reduce_prod=Prod"


def _pairs(text: str) -> list[tuple[str, str]]:
    return [(each.partition("=")[0], each.partition("=")[2]) for each in text.split()]


_OPERATIONS: dict[str, Operation] = {
    **{theirs: _of(module, ours) for module, text in _ALIKE.items() for theirs, ours in _pairs(text)},
    **{theirs: _of("numpy", ours, "y") for theirs, ours in _pairs(_WITH_Y)},
    **{theirs: _of("numpy", ours, axis="axis", keepdims="keepdims") for theirs, ours in _pairs(_REDUCE)},
    "linalg.matmul": _of("numpy", "Matmul", "b"),
    "nn.softmax": _of("nn", "Softmax", axis="axis"),
    "nn.log_softmax": _of("nn", "LogSoftmax", axis="axis"),
    "nn.gelu": _of("nn", "Gelu", given={"approximate": False}, approximate="approximate"),
    "nn.leaky_relu": _of("nn", "LeakyRelu", given={"negative_slope": 0.2}, alpha="negative_slope"),
    "clip_by_value": _of("numpy", "Clip", clip_value_min="x_min", clip_value_max="x_max"),
    "reshape": _of("numpy", "Reshape", shape="newshape"),
    "transpose": _of("numpy", "Transpose", perm="axes"),
    "compat.v1.transpose": _of("numpy", "Transpose", perm="axes"),
    "expand_dims": _of("numpy", "ExpandDims", axis="axis"),
    "squeeze": _of("numpy", "Squeeze", axis="axis"),
    "compat.v1.squeeze": _of("numpy", "Squeeze", axis="axis"),
    "concat": _of("numpy", "Concatenate", axis="axis"),
    "stack": _of("numpy", "Stack", given={"axis": 0}, axis="axis"),
    "tile": _of("numpy", "Tile", multiples="repeats"),
    "cast": _of("core", "Cast", dtype="dtype"),
}


def translate_function(layer: Json, calls: Calls, whole: Set[str]) -> tuple[str, str, Json, list[Json]]:
    """The module, class, arguments and calls of the operation that computes what a TensorFlow function does.

    `whole` are the names of the layers that may put out whole numbers.

    Raises:
        ArchitectureError: there is none, or it is called in a way that is not known here.
    """
    config = layer.get("config")
    function = config.get("function") if isinstance(config, dict) else None
    called = nodes(layer)
    if len(called) != 1 or not isinstance(called[0], list):
        raise ArchitectureError(f"the architecture calls tf.{function} not once, but {len(called)} times")
    if function in _OTHER_FOR_WHOLE_NUMBERS and any(source in whole for source, _ in references(called)):
        raise ArchitectureError(
            f"the architecture calls tf.{function} with what may be whole numbers, which is not served: cast them to "
            "float32 before"
        )
    # A list of tensors has each with the same further arguments.
    several = not is_reference(called[0])
    further = dict(arguments(called[0][0] if several else called[0]))
    first = [calls.tensor(each) for each in called[0]] if several else calls.tensor(called[0])
    if function == GET_ITEM:
        key = [_key_part(each) for each in _listed(further.get("slice_spec"))]
        return "keras.src.ops.numpy", "GetItem", {}, [{"args": [first, key], "kwargs": {}}]
    operation = _OPERATIONS.get(function) if isinstance(function, str) else None
    if operation is None:
        raise ArchitectureError(
            f"the architecture calls tf.{function}, which is not among the functions that are served"
        )
    args = [first, calls.value(further.pop(operation.more, None))] if operation.more else [first]
    own = dict(operation.given)
    for name, value in further.items():
        if value is None:
            continue  # to TensorFlow the same as not given
        if name in operation.options:
            own[operation.options[name]] = calls.value(value)
        elif name != "name" and value is not False:
            raise ArchitectureError(f"the architecture calls tf.{function} with {name}, which is not served")
    if "__keras_tensor__" in str(own) or any(each is None for each in args):
        raise ArchitectureError(f"the architecture calls tf.{function} in a way that is not served")
    return operation.module, operation.name, own, [{"args": args, "kwargs": {}}]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _key_part(part: Any) -> Any:
    """One part of a key such as `[:, 0, ::2]`."""
    if isinstance(part, dict) and part.keys() == {"start", "stop", "step"}:
        if all(each is None or type(each) is int for each in part.values()):
            return {"class_name": "__slice__", "config": part}
    elif type(part) is int:
        return part
    raise ArchitectureError("the architecture takes a slice that is not of plain numbers")
