"""One architecture, compiled once: loads versions of it and computes with them.

It ends at numpy arrays; which version is loaded, and when, is `workers.runtime.networks`' business.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.messages.arrays import text_array
from workers.messages.tensors import ONLY_INPUT, STRING
from workers.runtime.backend import item_bytes, keras, tf
from workers.runtime.bounded_variables import too_large
from workers.runtime.company import rows_belong_together
from workers.runtime.compiled import Compiled
from workers.runtime.errors import ArchitectureError, NumbersError, RowsError, WeightsError
from workers.runtime.forward import make_forward
from workers.runtime.infinite_weights import find_infinite
from workers.runtime.lookups import Lookups
from workers.runtime.models import DEFAULT_MAX_BYTES, build_model, is_dense_chain, weights_by_layer
from workers.runtime.own_code import has_own_layers
from workers.runtime.own_training import OwnTraining
from workers.runtime.parts import bounded, joined
from workers.runtime.plain_rows import SIZES, plain_rows
from workers.runtime.reasons import MAX_REASON_CHARACTERS, say_reason
from workers.runtime.row_memory import MIN_ROWS, RowMemory
from workers.runtime.row_wise import is_row_wise
from workers.runtime.rows import TensorInfo, arrange_rows
from workers.runtime.saved_arrays import list_saved_arrays
from workers.runtime.saved_names import find_saved_names
from workers.runtime.signature import read_signature
from workers.runtime.unserved import refuse_unserved
from workers.runtime.variable_places import find_places
from workers.runtime.wanted_weights import Variable, WantedWeights

#: Where TensorFlow met an error: its own names of functions and operations around the reason.
_WHERE = re.compile(r"\{\{[^}]*\}\} ?| ?\[Op:.*$")


@dataclass(frozen=True)
class Weights:
    """The tensors of one version, in the order of the architecture's variables; never changed."""

    tensors: tuple[Any, ...]
    size_bytes: int
    #: With these, an answer depends on what else is computed with it; see `workers.runtime.company`.
    rows_belong_together: bool = False


class Architecture:
    """One architecture, compiled once; every version of it is a tuple of tensors given to the same function."""

    def __init__(self, config: str, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self._model = model = build_model(config, max_bytes, random_weights=False)
        self._variables = [*model.trainable_variables, *model.non_trainable_variables]
        self._load_lock = threading.Lock()
        self._signature = read_signature(model)
        refuse_unserved(model)
        self.inputs, self.outputs = self._signature.inputs, self._signature.outputs
        self._lookups = Lookups(model)
        # A subclassed model has no inputs before it is called.
        given = getattr(model, "inputs", None) or [None] * len(self.inputs)
        self._samples = [self._lookups.samples(tensor) for tensor in given]
        self._own_training = OwnTraining(model)
        self._is_row_wise = is_row_wise(model) and not self._own_training.is_any
        self._compute_dtypes = {each.compute_dtype for each in model._flatten_layers()}
        self.wanted = self._describe_saved_weights()
        #: What the model itself holds: it has weights of its own, which no prediction uses.
        numbers_bytes = sum(math.prod(each.shape) * item_bytes(each.dtype) for each in model.variables)
        self.size_bytes = numbers_bytes + self._lookups.size_bytes
        self._call, self._row_memory = self._compile(max_bytes - self.size_bytes)
        if (needed := self.size_bytes + self._row_memory.smallest_bytes) > max_bytes:
            raise too_large(needed, max_bytes)

    @property
    def is_random(self) -> bool:
        """Whether it answers otherwise each time, as it is meant to."""
        return self._own_training.is_random

    def _compile(self, budget: int) -> tuple[Compiled, RowMemory]:
        forward = make_forward(self._model, self._variables, self._signature, self._lookups, self._own_training)
        self._call_uncompiled = forward.python_function
        try:
            compiled = Compiled(forward)
        except Exception as error:  # a layer raises whatever it likes
            raise ArchitectureError(f"this architecture cannot be compiled: {say_reason(error)}") from error
        self.outputs = tuple(map(_as_computed, self.outputs, compiled.dtypes))
        return compiled, RowMemory(self._model, self.inputs, forward, budget)

    def _describe_saved_weights(self) -> WantedWeights:
        model, frequencies = self._model, self._lookups.frequencies
        places = zip(model.weights, find_places(model), strict=True)
        variables = [_described(each.path, each, place) for each, place in places]
        variables += [_described(path, each, path) for path, each in frequencies]
        try:
            arrays = list_saved_arrays(model)
        except Exception as error:  # a layer raises whatever it likes
            raise ArchitectureError(f"this architecture's weights cannot be saved: {say_reason(error)}") from error
        # What lookups save beside their variables has names that are not looked for, and own code may make more of a
        # file than its weights: Keras must load it.
        names = () if frequencies or has_own_layers(model) else find_saved_names(model, arrays)
        chain = not frequencies and is_dense_chain(model)
        layers = weights_by_layer(model)
        return WantedWeights(model.name, tuple(variables), chain, layers, saved_as=names, saved_arrays=arrays)

    def load(self, weights_file: Path) -> Weights:
        """The tensors of a `.weights.h5` file that the helper has cleaned.

        Raises:
            WeightsError: names, shapes or values do not fit this architecture.
        """
        with self._load_lock:
            try:
                self._model.load_weights(weights_file)
            except (ValueError, KeyError, TypeError, OSError) as error:
                raise WeightsError(f"the weights do not fit the architecture: {say_reason(error)}") from error
            # No copies: TensorFlow gives a variable another buffer when it is assigned to while a tensor has this one.
            tensors = [tf.convert_to_tensor(variable.value) for variable in self._variables]
            tensors += [variable.value() for _, variable in self._lookups.frequencies]
        return self._make_weights(tensors)

    def load_tensors(self, file: Path) -> Weights:
        """The tensors of a file to which the helper has written the wanted variables' numbers, one after the other.

        Raises:
            WeightsError: the file is not as long as the variables are, or the network cannot predict with the values.
        """
        saved = {}
        frequencies = [variable for _, variable in self._lookups.frequencies]
        with file.open("rb") as opened:
            for variable, wanted in zip((*self._model.weights, *frequencies), self.wanted.variables, strict=True):
                size = math.prod(wanted.shape) * np.dtype(wanted.dtype).itemsize
                numbers = np.fromfile(opened, np.uint8, size)
                if len(numbers) < size:
                    raise WeightsError("the helper wrote fewer numbers than the architecture has")
                saved[id(variable)] = tf.constant(numbers.view(wanted.dtype).reshape(wanted.shape))
        # What no file holds, such as the state of random number generators, stays as the model made it.
        with self._load_lock:
            kept = {id(each): tf.convert_to_tensor(each.value) for each in self._variables if id(each) not in saved}
        return self._make_weights([(saved | kept)[id(each)] for each in (*self._variables, *frequencies)])

    def _make_weights(self, tensors: list[Any]) -> Weights:
        paths = [*(each.path for each in self._variables), *(path for path, _ in self._lookups.frequencies)]
        infinite = find_infinite(zip(paths, tensors, strict=True))
        size_bytes = sum(math.prod(tensor.shape) * tensor.dtype.size for tensor in tensors)
        weights = Weights(tuple(tensors), size_bytes)
        try:
            size = self._warm_up(weights)
            if infinite and not self._answers_zeros_by_numbers(weights, size):
                raise WeightsError(
                    f"{infinite} holds infinite values, and the answers to zeros are no numbers with them"
                )
            together = not self._is_row_wise and rows_belong_together(
                self.inputs, self._samples, size, lambda given: self._try(weights, given), self._compute_dtypes
            )
        except RowsError as error:
            raise WeightsError(f"the network cannot predict: {error}") from error
        return replace(weights, rows_belong_together=together)

    def _try(self, weights: Weights, given: list[NDArray[Any]]) -> list[NDArray[Any]]:
        if len(given[0]) > (most := self._row_memory.rows_at_once(given)):
            raise NumbersError(f"no more than {most} rows are computed at once")
        return self._compute(weights, given)

    def _warm_up(self, weights: Weights) -> int:
        """Predict once; gives what stood for sizes that are not fixed, the first that the network takes.

        Raises:
            RowsError: it predicts with none.
        """
        for size in SIZES[:-1]:
            with suppress(RowsError):
                self.predict(weights, plain_rows(self.inputs, self._samples, size))
                return size
        self.predict(weights, plain_rows(self.inputs, self._samples, SIZES[-1]))
        return SIZES[-1]

    def _answers_zeros_by_numbers(self, weights: Weights, size: int) -> bool:
        """Whether no answer is NaN, computed step by step: compiled, a ReLU behind a product makes zeros of NaN."""
        given = [tf.constant(each) for each in plain_rows(self.inputs, self._samples, size).values()]
        with self._row_memory.running:
            answers = self._call_uncompiled(list(weights.tensors), given)
        return not any(np.isnan(each.numpy()).any() for each in answers)

    def predict(
        self, weights: Weights, rows: Mapping[str, NDArray[Any]], request_rows: Sequence[int] = ()
    ) -> dict[str, NDArray[Any]]:
        """The outputs by their names, of shapes (rows, ...), for the inputs by theirs, of shapes (rows, ...).

        A network's only input may also be called "". The rows are those of several requests, one after the other, each
        with as many as `request_rows` says, or all of one.

        Raises:
            RowsError: the rows are not those that the network takes, or it cannot compute them.
        """
        given = arrange_rows(self.inputs, rows)
        count = len(given[0])
        at_once = self._row_memory.rows_at_once(given)
        if weights.rows_belong_together:
            outputs = self._compute_apart(weights, given, request_rows or (count,), at_once)
        elif count <= at_once:
            outputs = self._compute_some(weights, given)
        else:
            parts = [[each[start : start + at_once] for each in given] for start in range(0, count, at_once)]
            outputs = joined(bounded(self._compute_some(weights, part) for part in parts))
        return {info.name: output[:count] for info, output in zip(self.outputs, outputs, strict=True)}

    def _compute_some(self, weights: Weights, given: list[NDArray[Any]]) -> list[NDArray[Any]]:
        """The outputs for these rows, and for the only one once more."""
        if len(given[0]) < MIN_ROWS:
            given = [np.concatenate([each] * MIN_ROWS) for each in given]
        return self._compute(weights, given)

    def _compute_apart(
        self, weights: Weights, given: list[NDArray[Any]], request_rows: Sequence[int], at_once: int
    ) -> list[NDArray[Any]]:
        """The outputs for the rows of several requests, each computed by itself.

        Raises:
            NumbersError: a request has more rows than may be computed at once.
        """
        if max(request_rows) > at_once:
            raise NumbersError(f"a request has more rows than are computed at once: ask for {at_once} rows or fewer")
        last = list(accumulate(request_rows))
        parts = (
            self._compute(weights, [each[end - count : end] for each in given])
            for end, count in zip(last, request_rows, strict=True)
        )
        return joined(bounded(parts))

    def _compute(self, weights: Weights, given: list[NDArray[Any]]) -> list[NDArray[Any]]:
        """The outputs for just these rows.

        Raises:
            NumbersError: it cannot compute them, or does not answer each row by one.
        """
        try:
            outputs = [_as_array(output) for output in self._call(weights.tensors, given)]
        except UnicodeDecodeError as error:
            raise NumbersError(f"the network makes a text of these rows that is no UTF-8: {error}") from error
        except tf.errors.OpError as error:
            raise NumbersError(f"the network cannot compute these rows: {_say_in_one_line(error)}") from error
        for info, output in zip(self.outputs, outputs, strict=True):
            if len(output) != len(given[0]):
                raise NumbersError(
                    f"{info.name!r} has {len(output)} rows for {len(given[0])}, where each has one answer"
                )
        return outputs

    def predict_rows(self, weights: Weights, rows: NDArray[Any]) -> NDArray[Any]:
        """The first output for the rows of a network with one input.

        Raises:
            RowsError: see `predict`.
        """
        return self.predict(weights, {ONLY_INPUT: rows})[self.outputs[0].name]


def _described(path: str, variable: Any, place: str) -> Variable:
    return Variable(path, tuple(variable.shape), keras.backend.standardize_dtype(variable.dtype), place)


def _as_computed(info: TensorInfo, dtype: Any) -> TensorInfo:
    return replace(info, dtype=STRING) if dtype == tf.string else info


def _as_array(output: Any) -> NDArray[Any]:
    array: NDArray[Any] = output.numpy()
    if array.dtype.kind != "O":
        return array
    return text_array([text.decode() for text in array.ravel().tolist()], array.shape)


def _say_in_one_line(error: Any) -> str:
    """What went wrong, of TensorFlow's many lines: the last that does not name where in the graph."""
    lines = [line for line in error.message.splitlines() if line and not line.startswith("\t")]
    return _WHERE.sub("", lines[-1])[:MAX_REASON_CHARACTERS] if lines else type(error).__name__
