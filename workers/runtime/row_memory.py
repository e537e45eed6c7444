"""How many rows may be computed at once, within the memory that a network may take.

A row of fixed sizes takes as much each time. But rows of some networks are as long as whoever sends them likes, texts
have as many words as their writers like, and where every word meets every other, twice as many take four times as much.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from numpy.typing import NDArray

from workers.runtime.backend import keras, tf
from workers.runtime.errors import NumbersError
from workers.runtime.footprint import Footprint
from workers.runtime.own_code import has_own_layers
from workers.runtime.reasons import say_reason
from workers.runtime.rows import TensorInfo

# One row takes another path through the matrix kernels than many and differs in the last bit. With two rows at
# least, an answer does not depend on what else was in the batch.
MIN_ROWS = 2
#: The shortest length that is measured, so that rows up to it need not be; longer ones up to the next power of two.
SHORTEST = 128
#: A long word counts as several of these: it is copied for each run.
WORD_CHARACTERS = 8
#: How many sizes are remembered.
MEASURED_MAX = 64

Sizes = tuple[int, ...]


class RowMemory:
    """What the rows of one compiled network take."""

    def __init__(self, model: keras.Model, inputs: Sequence[TensorInfo], forward: Any, budget: int) -> None:
        texts = [each for each in model._flatten_layers() if isinstance(each, keras.layers.TextVectorization)]
        self._inputs, self._forward, self._budget = inputs, forward, budget
        self._has_words = bool(texts)
        self._by_character = any(each._split == "character" for each in texts)
        self._runs = max((sum(each._ngrams or (1,)) for each in texts), default=1)
        # What own code does with a length that is known, such as a step for each, nobody knows: it is not traced.
        self._is_fixed = not any(None in each.row_shape for each in inputs) or has_own_layers(model)
        self._compiled = Footprint(forward.get_concrete_function().graph)
        self._fixed_rows = self._compiled.rows_within(budget, 1)
        #: What rows of these sizes take, where the network itself does not say how long they are, or why none do.
        self._measured: dict[Sizes, Footprint | NumbersError] = {}
        #: Held by who runs the network's Python: some of its layers keep tensors of who runs it.
        self.running = threading.Lock()

    @property
    def smallest_bytes(self) -> int:
        """What the fewest and shortest rows take."""
        return self._compiled.bytes_of(MIN_ROWS, 1)

    def rows_at_once(self, given: Sequence[NDArray[Any]]) -> int:
        """How many of these rows may be computed at once; those of an input have the same size in memory.

        Raises:
            NumbersError: not even the fewest that are computed, or the network takes no rows as long as these.
        """
        if self._is_fixed and not self._has_words:
            return self._fixed_rows
        length = max(map(self._words, given)) * self._runs if self._has_words else 1
        sizes = () if self._is_fixed else self._free_sizes(given)
        footprint = self._find(sizes, length, len(given[0])) or self._measure(sizes)
        rows = footprint.rows_within(self._budget, length)
        if rows < MIN_ROWS:
            raise NumbersError(
                f"a row is too long for this network: it would take {footprint.bytes_of(1, length)} bytes of memory, "
                f"and {MIN_ROWS} of them more than the {self._budget} that are left to it"
            )
        return rows

    def _find(self, sizes: Sizes, length: int, count: int) -> Footprint | None:
        """What was measured of rows that are as long or longer, if enough of these can be computed at once."""
        if not sizes:
            return self._compiled
        for measured, footprint in tuple(self._measured.items()):
            longer = all(size <= most for size, most in zip(sizes, measured, strict=True))
            if longer and isinstance(footprint, Footprint) and footprint.rows_within(self._budget, length) >= count:
                return footprint
        with suppress(NumbersError):  # the network may not take rows that are so long
            footprint = self._measure(tuple(max(SHORTEST, 1 << (size - 1).bit_length()) for size in sizes))
            return footprint if footprint.rows_within(self._budget, length) >= MIN_ROWS else None
        return None

    def _measure(self, sizes: Sizes) -> Footprint:
        """What rows of these sizes take: the network is traced for them, which computes nothing.

        Raises:
            NumbersError: it takes none of these sizes.
        """
        with self.running:
            if sizes not in self._measured:
                try:
                    self._measured[sizes] = Footprint(self._trace(sizes))
                except NumbersError as error:
                    self._measured[sizes] = error
                if len(self._measured) > MEASURED_MAX:
                    del self._measured[next(iter(self._measured))]
            found = self._measured[sizes]
        if isinstance(found, NumbersError):
            raise NumbersError(str(found))
        return found

    def _trace(self, sizes: Sizes) -> Any:
        weights, rows = self._forward.input_signature
        left = iter(sizes)
        shapes = [[next(left) if size is None else size for size in each.row_shape] for each in self._inputs]
        given = [tf.TensorSpec((None, *shape), each.dtype) for shape, each in zip(shapes, rows, strict=True)]
        try:
            return tf.function(self._forward.python_function).get_concrete_function(weights, given).graph
        except Exception as error:  # a layer raises whatever it likes
            raise NumbersError(f"the network takes no rows of these sizes: {say_reason(error)}") from error

    def _free_sizes(self, given: Sequence[NDArray[Any]]) -> Sizes:
        return tuple(
            size
            for info, rows in zip(self._inputs, given, strict=True)
            for wanted, size in zip(info.row_shape, rows.shape[1:], strict=True)
            if wanted is None
        )

    def _words(self, rows: NDArray[Any]) -> int:
        """The most words that a row may have."""
        values = math.prod(rows.shape[1:])
        if rows.dtype.kind != "O" or not values:
            return 1
        texts = rows.ravel().tolist()
        longest = max(map(len, texts))
        words = longest if self._by_character else max(len(text.split()) for text in texts)
        return values * max(words, longest // WORD_CHARACTERS, 1)
