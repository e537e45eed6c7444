"""What of a model is compiled: its way from the tensors of a version, and rows, to what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workers.runtime.backend import keras, tf
from workers.runtime.lookups import Lookups
from workers.runtime.own_training import OwnTraining
from workers.runtime.signature import Signature


def make_forward(
    model: keras.Model, variables: Sequence[Any], signature: Signature, lookups: Lookups, own_training: OwnTraining
) -> Any:
    """A `tf.function` of two lists of tensors, those of the variables with the lookups' frequencies, and the rows'.

    It gives the outputs, flat, in the dtypes of the signature; no layer trains but those that the model has trained.
    """
    dtypes = [output.dtype for output in signature.outputs]
    frequencies = [variable for _, variable in lookups.frequencies]
    taken = [
        [tf.TensorSpec(variable.shape, variable.dtype) for variable in (*variables, *frequencies)],
        [tf.TensorSpec((None, *given.row_shape), given.dtype) for given in signature.inputs],
    ]
    # They keep what they have adapted to in tensors made from their weights, which would be those of this moment.
    adapted = [each for each in model._flatten_layers() if isinstance(each, keras.layers.Normalization)]

    @tf.function(input_signature=taken)  # type: ignore[untyped-decorator]
    def forward(tensors: list[Any], rows: list[Any]) -> list[Any]:
        own = own_training.draw_seeds(variables, tensors[: len(variables)])
        lookups.use_frequencies(tensors[len(variables) :])
        with keras.StatelessScope(state_mapping=list(zip(variables, own, strict=True))):
            for layer in adapted:
                layer.finalize_state()
            made = signature.call(model, rows)
        if not all(isinstance(each, tf.Tensor) for each in made):
            raise TypeError("the network makes arrays that are sparse or ragged, and no answer holds these")
        # Keras describes the words that an inverted StringLookup makes as whole numbers.
        return [
            each if each.dtype == tf.string else tf.cast(each, dtype) for each, dtype in zip(made, dtypes, strict=True)
        ]

    return forward
