"""Bounds the memory of the variables that are made in a block, before each is made."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from workers.runtime.backend import item_bytes, tf
from workers.runtime.errors import ArchitectureError


@contextmanager
def bounded_variables(max_bytes: int) -> Iterator[None]:
    """Refuse the variable with which those that this thread makes in the block would need more than so many bytes.

    Raises:
        ArchitectureError: there is such a variable; also when what the block calls goes on without it, as Keras does.
    """
    needed = 0

    def create(make: Callable[..., Any], **given: Any) -> Any:
        nonlocal needed
        value = given["initial_value"]
        # Traced, an initializer tells its shape and draws no numbers.
        drawn = tf.function(value).get_concrete_function().structured_outputs if callable(value) else value
        needed += math.prod(drawn.shape) * item_bytes(drawn.dtype)
        if needed > max_bytes:
            raise too_large(needed, max_bytes)
        return make(**given)

    try:
        with tf.variable_creator_scope(create):
            yield
    finally:
        if needed > max_bytes:
            raise too_large(needed, max_bytes)


def too_large(needed: int, max_bytes: int) -> ArchitectureError:
    """The error for a network that needs so many bytes."""
    return ArchitectureError(f"the network needs {needed} bytes of memory, more than the {max_bytes} allowed")
