"""Layers that their model itself calls with `training=True`: dropout that is to stay random, a batch's own statistics.

Keras goes over that when a model is called with `training=False`, as it is here for the sake of all other layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from inspect import signature
from typing import Any

from workers.runtime.backend import tf

SEEDS_BELOW = 2**31


class OwnTraining:
    """What a model says of its layers' training, and holds to from now on."""

    def __init__(self, model: Any) -> None:
        layers = [each for each in model._flatten_layers() if _is_called_in_training(each)]
        for layer in layers:
            layer._call_context_args = layer._call_context_args - {"training"}
        drawing = [each for layer in layers for each in layer._flatten_layers() if each._seed_generators]
        self.is_any = bool(layers)
        #: Some of its answers are drawn anew each time.
        self.is_random = bool(drawing)
        self._seeds = {id(seed.state) for layer in drawing for seed in layer._seed_generators}

    def draw_seeds(self, variables: Sequence[Any], tensors: list[Any]) -> list[Any]:
        """The variables' tensors, but for seeds of what is drawn: those are new at each call of what is compiled."""
        return [
            tf.cast(tf.random.uniform(tensor.shape, maxval=SEEDS_BELOW, dtype=tf.int64), tensor.dtype)
            if id(variable) in self._seeds
            else tensor
            for variable, tensor in zip(variables, tensors, strict=True)
        ]


def _is_called_in_training(layer: Any) -> bool:
    training = signature(layer.call).parameters.get("training")
    if training is None or training.default is True:
        return False  # an augmentation's own default, which each model that holds one says: nobody has asked for it
    return any(node.arguments and node.arguments.kwargs.get("training") is True for node in layer._inbound_nodes)
