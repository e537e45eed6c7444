"""Brings what an architecture describes into the form that is served: without what no prediction needs.

A fixed number of rows goes: it is what a model was once called with, and a worker computes as many rows as there are.
"""

from __future__ import annotations

from typing import Any

from workers.runtime.errors import ArchitectureError

#: Where a config says which shape a batch has. For which one a layer was built (`build_config`) makes no difference.
SHAPES = ("batch_shape", "batch_input_shape", "build_input_shape")


def to_served_form(found: dict[str, Any]) -> None:
    """Change one described object, such as a layer.

    Raises:
        ArchitectureError: it keeps state from row to row, and so has no such form.
    """
    # With it Keras would expect the optimizer's state in each file, and build optimizers and losses.
    found.pop("compile_config", None)
    config = found.get("config")
    if not isinstance(config, dict):
        return
    if config.get("stateful"):
        raise ArchitectureError(
            f"{config.get('name')!r} is stateful: it answers by the rows of requests before, and here no request "
            "changes the answers to others; make it with stateful=False"
        )
    # Unrolled, a loop over time is a graph as long as the sequence, and says the same.
    if "unroll" in config:
        config["unroll"] = False
    for key in SHAPES:
        shape = config.get(key)
        if isinstance(shape, list) and shape:
            config[key] = [None, *shape[1:]]
