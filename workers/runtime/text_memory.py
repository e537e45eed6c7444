"""How many rows may be computed at once, where a row's words decide how much memory that takes.

A row of fixed sizes is measured before its network is loaded. But a text has as many words as its writer likes, every
row is as long as the longest, and Keras makes of each word a row as wide as the vocabulary before it adds these up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from workers.runtime.backend import item_bytes, keras
from workers.runtime.errors import NumbersError
from workers.runtime.models import MIN_ROWS, row_outputs

#: The most that the words of the rows that are computed at once may take.
MAX_BYTES = 512 * 1024**2
WORD_BYTES = 8


class TextMemory:
    """What a model takes for each word of a row."""

    def __init__(self, model: Any) -> None:
        layers = model._flatten_layers()
        kinds = keras.layers
        texts = [each for each in layers if isinstance(each, kinds.TextVectorization)]
        tables = [each for each in layers if isinstance(each, kinds.StringLookup | kinds.IntegerLookup)]
        hashes = [each for each in layers if isinstance(each, kinds.Hashing) and each.output_mode != "int"]
        widest = sum(_width(each) for each in tables if each.output_mode != "int") + sum(
            each.num_bins for each in hashes
        )
        self._by_character = any(each._split == "character" for each in texts)
        runs = max((sum(each._ngrams or (1,)) for each in texts), default=1)
        unknown = sum(
            math.prod(size or 1 for size in output.shape) * item_bytes(output.dtype)
            for output in row_outputs(model)
            if None in output.shape[1:]
        )
        self._word_bytes = ((widest + 1) * WORD_BYTES + unknown) * runs if texts or tables or hashes else 0

    def rows_at_once(self, given: Sequence[NDArray[Any]]) -> int:
        """How many of these rows may be computed at once; all have the same size in memory.

        Raises:
            NumbersError: a single one takes too much.
        """
        row_bytes = self._word_bytes * max(map(self._words, given)) if self._word_bytes else 0
        if row_bytes * MIN_ROWS > MAX_BYTES:
            raise NumbersError(f"a row has too many words for this network: they take {row_bytes} bytes of memory")
        return MAX_BYTES // row_bytes if row_bytes else len(given[0])

    def _words(self, rows: NDArray[Any]) -> int:
        """The most that a row may have."""
        values = math.prod(rows.shape[1:])
        if rows.dtype.kind != "O" or not values:
            return values
        texts = rows.ravel().tolist()
        longest = max(map(len, texts))
        words = longest if self._by_character else max(len(text.split()) for text in texts)
        return values * max(words, longest // WORD_BYTES, 1)  # a long word counts as several: it is copied for each run


def _width(table: Any) -> int:
    return int(table.max_tokens if table.pad_to_max_tokens else table.vocabulary_size())
