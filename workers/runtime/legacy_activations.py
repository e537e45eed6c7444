"""Functions that Keras 2 has under a name that means another one in Keras 3."""

from __future__ import annotations

from typing import Any

from workers.runtime.backend import keras


@keras.saving.register_keras_serializable("pipeline", "hard_sigmoid_of_keras_2")  # type: ignore[untyped-decorator]
def hard_sigmoid_of_keras_2(x: Any) -> Any:
    """0 below -2.5, 1 above 2.5, and a line between; Keras 3 draws the line from -3 to 3."""
    return keras.ops.clip(0.2 * x + 0.5, 0.0, 1.0)
