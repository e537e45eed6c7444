"""What a built model looks up: how large the vocabularies are, which of their numbers are weights, words to try.

Keras keeps the document frequencies of `tf_idf` in a constant of the layer, and saves TextVectorization's twice.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.runtime.backend import keras

#: What a word takes beside its characters, in the lists of Keras and in the table of TensorFlow: measured.
WORD_BYTES = 400
#: How many words of a vocabulary the model is tried with.
SAMPLES = 8


class Lookups:
    """The layers of a model that have a vocabulary."""

    def __init__(self, model: Any) -> None:
        layers = model._flatten_layers()
        kinds = (keras.layers.TextVectorization, keras.layers.StringLookup, keras.layers.IntegerLookup)
        #: Each as the model has it; within a TextVectorization is a StringLookup that is found by itself, too.
        self._layers = [each for each in layers if isinstance(each, kinds)]
        within = {id(_table(each)): each for each in self._layers if _table(each) is not each}
        self._tables = [each for each in self._layers if _table(each) is each]
        self._names = {id(each): within.get(id(each), each).name for each in self._tables}
        self._weighted = [each for each in self._tables if each.output_mode == "tf_idf"]

    @property
    def size_bytes(self) -> int:
        """What the vocabularies take."""
        return sum(
            sum(map(len, map(str, each.input_vocabulary))) + WORD_BYTES * len(each.input_vocabulary)
            for each in self._tables
        )

    @property
    def frequencies(self) -> list[tuple[str, Any]]:
        """The variables, and their paths, of the numbers that come with the weights: one for each word."""
        return [(f"{self._names[id(each)]}/idf_weights", each.idf_weights) for each in self._weighted]

    def use_frequencies(self, tensors: list[Any]) -> None:
        """Have the layers compute with these, in the order of `frequencies`, until Keras loads others."""
        for layer, tensor in zip(self._weighted, tensors, strict=True):
            layer.idf_weights_const = tensor

    def samples(self, given: Any) -> NDArray[Any]:
        """Values that an input of the model, its tensor, knows: words, texts of them, or none when it looks none up."""
        values = self._samples(given)
        return np.array(values, np.int64 if values and isinstance(values[0], int) else object)

    def _samples(self, given: Any) -> list[str] | list[int]:
        for layer in self._layers:
            table = _table(layer)
            if table.invert or not any(given is each for node in layer._inbound_nodes for each in node.input_tensors):
                continue
            # The last ones: the first may be what stands for unknown words and for none.
            words: list[str] | list[int] = table.input_vocabulary[-SAMPLES:]
            if table is layer:
                return words
            # Of one word and more, and none of no word, which not every network can compute alone.
            several = [*map(str, words), str(words[0])]
            return [" ".join(several[:count]) for count in range(1, len(several) + 1)]
        return []


def _table(layer: Any) -> Any:
    return layer._lookup_layer if isinstance(layer, keras.layers.TextVectorization) else layer
