"""Rows that a version can be tried with: those of its examples, else zeros, as workers have told that it takes them."""

from __future__ import annotations

from math import prod
from typing import Any

from inference.models import Version
from inference.versions.version_terms import terms_of
from workers.messages.arrays import to_array
from workers.messages.network_signature import NetworkSignature, TensorSignature
from workers.messages.tensors import ONLY_INPUT, STRING

#: Of more numbers a form makes no text that a person reads.
NUMBERS_MAX = 4096
ROWS = 2


def example_rows(version: Version) -> Any:
    """What `data` of a request for this version may be: a list of rows, or such lists by the inputs' names."""
    terms = terms_of(version)
    if terms is not None and terms.expected is not None:
        given = {name: to_array(tensor)[:ROWS].tolist() for name, tensor in terms.expected.inputs.items()}
        return given[ONLY_INPUT] if given.keys() == {ONLY_INPUT} else given
    if version.signature is None:  # an earlier release's workers loaded it
        return [[0.0]]
    inputs = NetworkSignature.from_json(version.signature).inputs
    rows = {each.name: [_zeros(each)] for each in inputs}
    return rows if len(rows) > 1 else next(iter(rows.values()))


def _zeros(tensor: TensorSignature) -> Any:
    shape = [1 if size is None else size for size in tensor.shape]
    if prod(shape) > NUMBERS_MAX:
        return [0.0]
    row: Any = "" if tensor.dtype == STRING else 0 if "int" in tensor.dtype else tensor.dtype != "bool" and 0.0
    for size in reversed(shape):
        row = [row] * size
    return row
