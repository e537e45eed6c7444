"""Fits a Keras model to rows and targets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from workers.runtime.backend import keras


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
