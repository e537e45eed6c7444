"""Layers that answer otherwise than Keras does when they are compiled for rows of any length: they are refused."""

from __future__ import annotations

from typing import Any

from workers.runtime.backend import keras
from workers.runtime.errors import ArchitectureError


def refuse_unserved(model: keras.Model) -> None:
    """Refuse a model with a layer that counts or compares a size that is not fixed.

    Raises:
        ArchitectureError: there is one.
    """
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.TimeDistributed) and _any_unknown(layer, slice(1, 2)):
            raise ArchitectureError(
                f"{layer.name!r} is a TimeDistributed over rows of any length: compiled, Keras takes as many steps as "
                "there are rows. Give its input a fixed length, or apply the layer itself: Dense and most others take "
                "further axes"
            )
        if isinstance(layer, keras.layers.CenterCrop) and _any_unknown(layer, slice(1, None)):
            raise ArchitectureError(
                f"{layer.name!r} is a CenterCrop of images of any size: compiled, Keras does not enlarge small ones. "
                "Give its input a fixed size"
            )


def _any_unknown(layer: Any, sizes: slice) -> bool:
    """Whether such a size of what it is called with is not known."""
    given = [each for node in layer._inbound_nodes for each in node.input_tensors]
    return any(None in each.shape[sizes] for each in given)
