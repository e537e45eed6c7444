"""The only file that imports TensorFlow and Keras: builds, loads and calls networks of one architecture.

It ends at numpy arrays; which version is loaded, and when, is `workers.runtime.networks`' business.
"""

from __future__ import annotations

import gc
import json
import math
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Both are read when TensorFlow is imported: no GPU is looked for, and only errors are logged.
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import tensorflow as tf

from workers.runtime.errors import ArchitectureError, RowsError, WeightsError
from workers.runtime.wanted_weights import Variable, WantedWeights

# One row takes another path through the matrix kernels than many and differs in the last bit. With two rows at
# least, an answer does not depend on what else was in the batch.
MIN_ROWS = 2
#: Keras explains itself over many lines; the reason is one, and the trace has the rest.
MAX_REASON_CHARACTERS = 500


@dataclass(frozen=True)
class Weights:
    """The tensors of one version, in the order of the architecture's variables; never changed."""

    tensors: tuple[Any, ...]
    size_bytes: int


def build_model(config: str) -> keras.Model:
    """A Keras model with fresh weights from its JSON config.

    Raises:
        ArchitectureError: the config describes no model that Keras builds safely.
    """
    try:
        described = json.loads(config)
        if isinstance(described, dict):
            # How it was compiled is of no use here, and would have Keras expect the optimizer's state in each file.
            described.pop("compile_config", None)
        model = keras.models.model_from_json(json.dumps(described))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ArchitectureError(f"Keras cannot build this architecture: {error}") from error
    if not isinstance(model, keras.Model):
        raise ArchitectureError("the architecture's JSON describes no model")
    if not model.built or len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ArchitectureError("the architecture must have one input and one output of known shape")
    return model


def is_dense_chain(model: keras.Model) -> bool:
    """Whether the model's variables are those of Dense layers, and each layer takes just the one before it."""
    if any(layer.weights and type(layer) is not keras.layers.Dense for layer in model.layers):
        return False
    if isinstance(model, keras.Sequential):
        return True
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        return False
    previous = model.inputs[0]
    for layer in model.layers:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        try:
            if layer.input is not previous:
                return False
            previous = layer.output
        except (AttributeError, ValueError):  # it is used twice
            return False
    return previous is model.outputs[0]


def use_threads(count: int) -> None:
    """Let TensorFlow compute with `count` threads; must be called before its first computation.

    With more threads than processors they spin against each other, and small networks gain nothing from several.
    """
    tf.config.threading.set_intra_op_parallelism_threads(count)
    tf.config.threading.set_inter_op_parallelism_threads(count)


def settle_memory() -> None:
    """Move what lives as long as the process (TensorFlow's objects above all) out of the collector's sight.

    Walking them made the long tail of latencies (see docs/architecture.md).
    """
    gc.collect()
    gc.freeze()


class Architecture:
    """One architecture, compiled once; every version of it is a tuple of tensors given to the same function."""

    def __init__(self, config: str) -> None:
        self._model = build_model(config)
        self._variables = [*self._model.trainable_variables, *self._model.non_trainable_variables]
        self._load_lock = threading.Lock()
        model_input = self._model.inputs[0]
        self.row_shape: tuple[int | None, ...] = tuple(model_input.shape[1:])
        self.dtype: np.dtype[Any] = np.dtype(model_input.dtype)
        self._call = self._compile()
        self.wanted = self._describe_saved_weights()

    def _compile(self) -> Any:
        model, trainable = self._model, len(self._model.trainable_variables)
        signature = [
            [tf.TensorSpec(variable.shape, variable.dtype) for variable in self._variables],
            tf.TensorSpec((None, *self.row_shape), self.dtype),
        ]

        @tf.function(input_signature=signature)  # type: ignore[untyped-decorator]
        def call(tensors: list[Any], rows: Any) -> Any:
            outputs, _ = model.stateless_call(tensors[:trainable], tensors[trainable:], rows, training=False)
            return outputs

        return call

    def _describe_saved_weights(self) -> WantedWeights:
        saved = self._model.weights
        variables = tuple(Variable(w.path, tuple(w.shape), keras.backend.standardize_dtype(w.dtype)) for w in saved)
        return WantedWeights(self._model.name, variables, is_dense_chain(self._model))

    def load(self, weights_file: Path) -> Weights:
        """The tensors of a `.weights.h5` file that the helper has cleaned.

        Raises:
            WeightsError: names, shapes or values do not fit this architecture.
        """
        with self._load_lock:
            try:
                self._model.load_weights(weights_file)
            except (ValueError, KeyError, TypeError, OSError) as error:
                said = " ".join(str(error).split())[:MAX_REASON_CHARACTERS]
                raise WeightsError(f"the weights do not fit the architecture: {said}") from error
            arrays = [np.array(variable.numpy()) for variable in self._variables]
        return self._make_weights(arrays)

    def load_tensors(self, file: Path) -> Weights:
        """The tensors of a file to which the helper has written the wanted variables' numbers, one after the other.

        Raises:
            WeightsError: the file is not as long as the variables are, or a value is not finite.
        """
        numbers, position, saved = np.fromfile(file, np.uint8), 0, {}
        for variable, wanted in zip(self._model.weights, self.wanted.variables, strict=True):
            dtype = np.dtype(wanted.dtype)
            end = position + math.prod(wanted.shape) * dtype.itemsize
            if end > len(numbers):
                raise WeightsError("the helper wrote fewer numbers than the architecture has")
            saved[id(variable)] = numbers[position:end].view(dtype).reshape(wanted.shape)
            position = end
        # What no file holds, such as the state of random number generators, stays as the model made it.
        return self._make_weights([saved.get(id(each), each.numpy()) for each in self._variables])

    def _make_weights(self, arrays: list[NDArray[Any]]) -> Weights:
        for variable, array in zip(self._variables, arrays, strict=True):
            if array.dtype.kind not in "iub" and not np.isfinite(array).all():
                raise WeightsError(f"{variable.path} holds values that are not finite")
        weights = Weights(tuple(tf.constant(array) for array in arrays), sum(array.nbytes for array in arrays))
        self.predict(weights, np.zeros((MIN_ROWS, *(size or 1 for size in self.row_shape)), self.dtype))
        return weights

    def predict(self, weights: Weights, rows: NDArray[Any]) -> NDArray[Any]:
        """Outputs of shape (rows, ...) for rows of shape (rows, ...).

        Raises:
            RowsError: the rows do not have the shape of the network's input.
        """
        self._check_rows(rows)
        count = len(rows)
        if count < MIN_ROWS:
            rows = np.concatenate([rows] * MIN_ROWS)
        outputs = self._call(list(weights.tensors), tf.constant(rows, self.dtype))
        result: NDArray[Any] = outputs.numpy()[:count]
        return result

    def _check_rows(self, rows: NDArray[Any]) -> None:
        given = rows.shape[1:]
        fits = len(given) == len(self.row_shape) and all(
            wanted is None or wanted == size for wanted, size in zip(self.row_shape, given, strict=True)
        )
        if not fits or not len(rows):
            raise RowsError(f"the network takes rows of shape {self.row_shape}, got {given}")


def save_weights(model: keras.Model) -> bytes:
    """The model's weights as the bytes of a `.weights.h5` file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.weights.h5"
        model.save_weights(path)
        return path.read_bytes()


def seed_randomness(seed: int) -> None:
    """Make fresh weights and the order of training rows, from here on in this process, follow from `seed`."""
    keras.utils.set_random_seed(seed)


def fit_model(
    model: keras.Model,
    rows: NDArray[Any],
    targets: NDArray[Any],
    *,
    epochs: int,
    batch_size: int,
    peak_learning_rate: float,
    on_progress: Callable[[float], None],
) -> None:
    """Fit the model to the targets with Adam, its learning rate falling to zero along half a cosine.

    `on_progress` is told, many times an epoch, how many epochs are done, fractions included.
    """
    steps = -(-len(rows) // batch_size)
    schedule = keras.optimizers.schedules.CosineDecay(peak_learning_rate, epochs * steps)
    # Many steps in one call of the compiled function: with small batches the calls cost more than the steps.
    steps_per_call = max(1, min(100, steps // 10))
    optimizer = keras.optimizers.Adam(schedule)
    model.compile(optimizer=optimizer, loss="mse", steps_per_execution=steps_per_call, jit_compile=False)

    class Progress(keras.callbacks.Callback):  # type: ignore[misc]
        epoch = 0

        def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
            self.epoch = epoch

        def on_train_batch_end(self, batch: int, logs: object = None) -> None:
            on_progress(self.epoch + min(batch + 1, steps) / steps)

    model.fit(rows, targets, batch_size=batch_size, epochs=epochs, verbose=0, callbacks=[Progress()])
