"""Brings what an architecture describes into the form that is served: without what no prediction needs.

A fixed number of rows goes: it is what a model was once called with, and a worker computes as many rows as there are.
"""

from __future__ import annotations

from typing import Any

from workers.runtime.errors import ArchitectureError

MAX_DEPTH = 20
#: Where a config says which shape a batch has. For which one a layer of Keras was built
#: (`build_config`) makes no difference.
SHAPES = ("batch_shape", "batch_input_shape", "build_input_shape")
#: How Keras itself says for which shapes something was built; an own class may add what it likes.
BUILD_SHAPES = ("input_shape", "shapes_dict")


def own_to_served_form(found: dict[str, Any]) -> None:
    """Change one described object of the operator's own code, of which nothing is known but what Keras adds to all."""
    found.pop("compile_config", None)
    build = found.get("build_config")
    if isinstance(build, dict):
        found["build_config"] = {key: _free(each) if key in BUILD_SHAPES else each for key, each in build.items()}


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
        if key in config:
            config[key] = _free(config[key])


def _free(shape: Any, depth: int = 0) -> Any:
    """A shape, or several by their names or in a list, for any number of rows."""
    if depth > MAX_DEPTH:
        raise ArchitectureError(f"the architecture has shapes that are nested more than {MAX_DEPTH} deep")
    if isinstance(shape, dict):
        return {key: _free(each, depth + 1) for key, each in shape.items()}
    if not isinstance(shape, list):
        return shape
    if any(isinstance(each, list | dict) for each in shape):
        return [_free(each, depth + 1) for each in shape]
    return [None, *shape[1:]] if shape else shape
