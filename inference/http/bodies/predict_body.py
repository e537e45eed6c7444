"""Reads the JSON body of /predict: one row in `vector`, or a batch of rows in `data`, by which network and version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from inference.dispatch.predict_input import PredictInput, bounded, require_rows
from inference.errors import BadInputError
from inference.http.bodies.json_numbers import few_floats, read_numbers
from inference.models.names import names_network
from workers.messages.arrays import to_tensor
from workers.messages.tensors import ONLY_INPUT, Tensor, Tensors

#: The largest number of a version that the database holds.
MAX_VERSION = 2**31 - 1


def read_predict_input(body: Any) -> PredictInput:
    """What a request's JSON body asks for; its lists may have become arrays (`large_json`).

    Raises:
        BadInputError: it holds no rows, or something that is none, or names no network or version.
        TooLargeError: its rows are more than one message to a worker holds.
    """
    if not isinstance(body, dict):
        raise BadInputError('the body must be an object like {"vector": [0.1, 0.2]}')
    if ("vector" in body) == ("data" in body):
        raise BadInputError('the body must have either "vector" (one row) or "data" (a list of rows)')
    name, inputs = read_inputs(body)
    # Most say neither, and each call costs.
    network = _read_network(body["nn_id"]) if "nn_id" in body else None
    version = _read_version(body["version"]) if "version" in body else None
    return bounded(PredictInput(inputs, name == "vector", network, version), name)


def read_inputs(said: dict[str, Any]) -> tuple[str, Tensors]:
    """The one of `vector` and `data` that is there, and its rows by input.

    Raises:
        BadInputError: it holds no rows, or something that is none.
    """
    name, read = ("vector", _read_row) if "vector" in said else ("data", _read_rows)
    return name, _read_inputs(name, said[name], read)


def _read_inputs(name: str, value: Any, read: Callable[[str, Any], Tensor]) -> Tensors:
    if isinstance(value, list | int | float | np.ndarray):
        return {ONLY_INPUT: read(name, value)}
    if not isinstance(value, dict):
        raise BadInputError(
            f"{name} must be a list of numbers or texts, or an object of such lists by the network's inputs"
        )
    inputs = {each: read(f"{name}.{each}", item) for each, item in value.items()}
    require_rows(inputs, name)
    return inputs


def _read_row(name: str, value: Any) -> Tensor:
    if type(value) is list and (floats := few_floats(value)) is not None:
        return Tensor("float64", (1, len(value)), floats)
    return to_tensor(read_numbers(name, value)[np.newaxis])


def _read_rows(name: str, value: Any) -> Tensor:
    if not isinstance(value, list | np.ndarray):
        raise BadInputError(f"{name} must be a list of rows")
    return to_tensor(read_numbers(name, value))


def _read_network(network: Any) -> str:
    if not names_network(network):
        raise BadInputError("nn_id must be a network's id, 32 lower-case hex digits, or its name")
    return str(network)


def _read_version(version: Any) -> int:
    if type(version) is not int or not 0 < version <= MAX_VERSION:
        raise BadInputError(f"version must be a whole number from 1 to {MAX_VERSION}")
    return version
