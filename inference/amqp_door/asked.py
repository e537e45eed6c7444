"""What a task's arguments ask for."""

from __future__ import annotations

from typing import Any

from inference.amqp_door.names import DOOR, TASK
from inference.dispatch.predict_input import PredictInput, bounded
from inference.errors import BadInputError
from inference.http.bodies.predict_body import MAX_VERSION, read_inputs
from inference.models.names import is_name, names_network


def read_asked(arguments: dict[str, Any], seconds: float | None) -> PredictInput:
    """The rows, and by what they are to be predicted.

    Raises:
        BadInputError: there are no rows, or something that is none, or no such name of a network or version.
        TooLargeError: the rows are more than one message to a worker holds.
    """
    if ("vector" in arguments) == ("data" in arguments):
        raise BadInputError(f"{TASK} takes either vector (one row) or data (a list of rows)")
    name, inputs = read_inputs(arguments)
    network, version = _network(arguments.get("network")), _version(arguments.get("version"))
    return bounded(PredictInput(inputs, name == "vector", network, version, DOOR, seconds=seconds), name)


def _network(given: Any) -> str | None:
    if given is not None and not names_network(given):
        raise BadInputError("network must be a network's id, 32 lower-case hex digits, or its name")
    return given  # type: ignore[no-any-return]  # it is a text, or nothing


def _version(given: Any) -> int | str | None:
    if given is None or (type(given) is int and 0 < given <= MAX_VERSION) or is_name(given):
        return given  # type: ignore[no-any-return]  # as has just been seen
    raise BadInputError(f"version must be a whole number from 1 to {MAX_VERSION}, or a label")
