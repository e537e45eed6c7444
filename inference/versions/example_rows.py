"""Rows that a version can be tried with: those of its examples, else zeros, by the inputs that its architecture has.

Everything is read from the Keras JSON. It may be anybody's, so nothing in it is relied on: what cannot be read is a row
of one number.
"""

from __future__ import annotations

import json
from math import prod
from typing import Any

from inference.models import Version
from inference.versions.stored_files import whole_file
from inference.versions.version_terms import terms_of
from workers.messages.arrays import to_array
from workers.messages.tensors import ONLY_INPUT

#: Of more numbers a form makes no text that a person reads.
NUMBERS_MAX = 4096
DIMENSIONS_MAX = 32
ROWS = 2


def example_rows(version: Version) -> Any:
    """What `data` of a request for this version may be: a list of rows, or such lists by the inputs' names."""
    terms = terms_of(version)
    if terms is not None and terms.expected is not None:
        given = {name: to_array(tensor)[:ROWS].tolist() for name, tensor in terms.expected.inputs.items()}
        return given[ONLY_INPUT] if given.keys() == {ONLY_INPUT} else given
    content = whole_file(version.architecture_id)
    try:
        inputs = _inputs(json.loads(content)) if content else {}
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError, IndexError):
        inputs = {}
    if not inputs:
        return [[0.0]]
    rows = {name: [row] for name, row in inputs.items()}
    return rows if len(rows) > 1 else next(iter(rows.values()))


def _inputs(model: dict[str, Any]) -> dict[str, Any]:
    """A row for each input, by its name."""
    config = model["config"]
    layers = config["layers"] if isinstance(config, dict) else config
    found: dict[str, Any] = {}
    for layer in layers:
        own = layer["config"]
        shape = own.get("batch_shape") or own.get("batch_input_shape")
        if layer["class_name"] == "InputLayer" or (not found and shape):
            found[str(own["name"])] = _zeros([size or 1 for size in shape[1:]], str(own.get("dtype")))
        if model["class_name"] == "Sequential":
            break
    return found


def _zeros(shape: list[int], dtype: str) -> Any:
    if len(shape) > DIMENSIONS_MAX or not 0 < prod(shape) <= NUMBERS_MAX:
        return [0.0]
    row: Any = "" if dtype == "string" else 0 if "int" in dtype else False if dtype == "bool" else 0.0
    for size in reversed(shape):
        row = [row] * size
    return row
