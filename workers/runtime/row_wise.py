"""Which networks need no trial: each of their layers is known to compute every row by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workers.runtime.architecture_check import names
from workers.runtime.backend import keras
from workers.runtime.own_code import is_own_name

KERAS = "keras.src."
#: What of a layer may be a function of the operator's own.
_FUNCTIONS = ("activation", "recurrent_activation")
#: Layers of Keras that compute each row by itself when they do not train, whatever their weights are, if their rows
#: have sizes, and what they call their axis is none of the batch.
_ROW_WISE = names("""
    Activation Add Average AveragePooling1D AveragePooling2D AveragePooling3D BatchNormalization Bidirectional
    Concatenate Conv1D Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose Cropping1D Cropping2D Cropping3D
    Dense DepthwiseConv1D DepthwiseConv2D Dropout ELU Embedding Flatten Functional GRU GRUCell GlobalAveragePooling1D
    GlobalAveragePooling2D GlobalAveragePooling3D GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D Identity
    InputLayer LSTM LSTMCell LayerNormalization LeakyReLU MaxPooling1D MaxPooling2D MaxPooling3D Maximum Minimum
    Multiply Normalization PReLU Permute ReLU Rescaling Reshape SeparableConv1D SeparableConv2D Sequential SimpleRNN
    SimpleRNNCell Softmax SpatialDropout1D SpatialDropout2D SpatialDropout3D Subtract TimeDistributed UpSampling1D
    UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D
    """)


def is_row_wise(model: keras.Model) -> bool:
    """Whether no row's answer can depend on another row, unless a layer trains; false where that is not known."""
    return all(_is_known(each) and _spares_the_batch(each) for each in _operations(model))


def _operations(model: keras.Model) -> Iterator[Any]:
    """Its layers, those within others among them, and what stands between layers, such as `a - b`."""
    for layer in model._flatten_layers():
        yield layer
        yield from (each for each in getattr(layer, "operations", ()) if not isinstance(each, keras.layers.Layer))


def _is_known(operation: Any) -> bool:
    kind = type(operation)
    # An operation may be called as a layer is: `a + b` is an Add, and broadcasts.
    if not isinstance(operation, keras.layers.Layer) or not kind.__module__.startswith(KERAS):
        return False
    functions = [function for name in _FUNCTIONS if (function := getattr(operation, name, None))]
    return kind.__name__ in _ROW_WISE and not any(
        is_own_name(keras.saving.get_registered_name(function)) for function in functions
    )


def _spares_the_batch(layer: Any) -> bool:
    """Whether it is called with rows of some size alone, and its axes, counted from the end too, are not these."""
    nodes = layer._inbound_nodes
    tensors = [each for node in nodes for each in (*node.input_tensors, *node.output_tensors)]
    given = [each for node in nodes if node.arguments for each in _arrays(node.arguments)]
    if any(not isinstance(each, keras.KerasTensor) for each in given) or any(len(each.shape) < 2 for each in tensors):
        return False
    axes = getattr(layer, "axis", ())
    named = [axes] if isinstance(axes, int) else list(axes)
    if named and not tensors:
        return False  # another layer calls it
    return all(isinstance(axis, int) and all(axis % len(each.shape) for each in tensors) for axis in named)


def _arrays(arguments: Any) -> list[Any]:
    """All that a layer is called with beside words: a constant among it has rows of its own."""
    return [
        each
        for each in keras.tree.flatten([arguments.args, arguments.kwargs])
        if each is not None and not isinstance(each, bool | str)
    ]
