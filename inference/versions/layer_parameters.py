"""How many parameters a layer of an architecture has, from its Keras JSON alone: a gateway does not import Keras.

A layer that is not known here has an unknown number (None), which is said, rather than guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

#: More is a slip, or a joke.
PARAMETERS_MAX = 10**15

Config = dict[str, Any]
Shape = list[Any]

#: Kinds of layers whose every name begins or ends like this compute with nothing of their own.
_WITHOUT = (
    "Pooling", "Pool", "Dropout", "Padding", "Cropping", "UpSampling", "Random", "Add", "Subtract", "Multiply",
    "Average", "Maximum", "Minimum", "Concatenate", "Dot", "Flatten", "Reshape", "Permute", "RepeatVector",
    "Activation", "ReLU", "Softmax", "ELU", "InputLayer", "Identity", "Masking", "Rescaling", "Resizing",
    "UnitNormalization", "GaussianNoise", "CategoryEncoding", "ActivityRegularization", "CenterCrop",
    "TextVectorization", "Lookup", "Hashing", "HashedCrossing",
)  # fmt: skip


def count_parameters(kind: str, config: Config, build: Config) -> int | None:
    """The parameters of a layer of this class, config and `build_config`; None when they cannot be told."""
    if kind in _COUNTED:
        try:
            count = _COUNTED[kind](config, build)
        except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError):
            return None
        return count if count is not None and 0 <= count <= PARAMETERS_MAX else None
    return 0 if any(word in kind for word in _WITHOUT) and kind != "PReLU" else None


def _shape(build: Config) -> Shape:
    """What is put in, with its batch dimension, which is None."""
    shape: Shape = build["input_shape"]
    return shape


def _channels(config: Config, shape: Shape) -> int:
    return int(shape[1] if config.get("data_format") == "channels_first" else shape[-1])


def _bias(config: Config, count: int) -> int:
    return count if config.get("use_bias", True) else 0


def _dense(config: Config, build: Config) -> int:
    units = int(config["units"])
    return int(_shape(build)[-1]) * units + _bias(config, units)


def _embedding(config: Config, build: Config) -> int:
    return int(config["input_dim"]) * int(config["output_dim"])


def _convolution(config: Config, build: Config) -> int:
    filters, channels = int(config["filters"]), _channels(config, _shape(build))
    return prod(config["kernel_size"]) * channels // int(config.get("groups") or 1) * filters + _bias(config, filters)


def _depthwise(config: Config, build: Config) -> int:
    outputs = _channels(config, _shape(build)) * int(config["depth_multiplier"])
    return prod(config["kernel_size"]) * outputs + _bias(config, outputs)


def _separable(config: Config, build: Config) -> int:
    filters = int(config["filters"])
    between = _channels(config, _shape(build)) * int(config["depth_multiplier"])
    return prod(config["kernel_size"]) * between + between * filters + _bias(config, filters)


def _of_axes(config: Config, shape: Shape) -> int:
    axis = config.get("axis", -1)
    return prod(int(shape[each]) for each in (axis if isinstance(axis, list) else [axis]))


def _scale_and_center(config: Config) -> int:
    return bool(config.get("scale", True)) + bool(config.get("center", True))


def _batch_normalization(config: Config, build: Config) -> int:
    return (2 + _scale_and_center(config)) * _of_axes(config, _shape(build))


def _layer_normalization(config: Config, build: Config) -> int:
    return _scale_and_center(config) * _of_axes(config, _shape(build))


def _rms_normalization(config: Config, build: Config) -> int:
    return _of_axes(config, _shape(build))


def _recurrent(gates: int) -> Callable[[Config, Config], int]:
    def count(config: Config, build: Config) -> int:
        units, inputs = int(config["units"]), int(_shape(build)[-1])
        biases = 2 if gates == 3 and config.get("reset_after", True) else 1
        return gates * (units * (inputs + units) + _bias(config, biases * units))

    return count


def _bidirectional(config: Config, build: Config) -> int | None:
    inner = count_parameters(config["layer"]["class_name"], config["layer"]["config"], build)
    return None if inner is None else 2 * inner


def _time_distributed(config: Config, build: Config) -> int | None:
    shape = _shape(build)
    inner = config["layer"]
    return count_parameters(inner["class_name"], inner["config"], {"input_shape": [shape[0], *shape[2:]]})


def _attention(config: Config, build: Config) -> int:
    shapes = build.get("shapes_dict", build)
    query, value = int(shapes["query_shape"][-1]), int(shapes["value_shape"][-1])
    key = int((shapes.get("key_shape") or shapes["value_shape"])[-1])
    heads, key_dim = int(config["num_heads"]), int(config["key_dim"])
    value_dim = int(config.get("value_dim") or key_dim)
    outputs = prod(config.get("output_shape") or [query])
    inwards = (query + key) * heads * key_dim + value * heads * value_dim
    biases = 2 * heads * key_dim + heads * value_dim + outputs
    return inwards + heads * value_dim * outputs + _bias(config, biases)


def _prelu(config: Config, build: Config) -> int:
    shared = set(config.get("shared_axes") or ())
    return prod(int(size) for axis, size in enumerate(_shape(build)) if axis and axis not in shared)


_COUNTED: dict[str, Callable[[Config, Config], int | None]] = {
    "Dense": _dense,
    "Embedding": _embedding,
    **{f"Conv{rank}D": _convolution for rank in (1, 2, 3)},
    **{f"Conv{rank}DTranspose": _convolution for rank in (1, 2, 3)},
    **{f"DepthwiseConv{rank}D": _depthwise for rank in (1, 2)},
    **{f"SeparableConv{rank}D": _separable for rank in (1, 2)},
    "BatchNormalization": _batch_normalization,
    "LayerNormalization": _layer_normalization,
    "GroupNormalization": _layer_normalization,
    "RMSNormalization": _rms_normalization,
    "LSTM": _recurrent(4),
    "GRU": _recurrent(3),
    "SimpleRNN": _recurrent(1),
    "Bidirectional": _bidirectional,
    "TimeDistributed": _time_distributed,
    "MultiHeadAttention": _attention,
    "PReLU": _prelu,
}
