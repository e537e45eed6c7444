"""What a task's arguments ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from inference.amqp_door.names import DOOR, TASK
from inference.dispatch.predict_input import PredictInput, bounded
from inference.errors import BadInputError
from inference.http.bodies.predict_body import MAX_VERSION, read_inputs
from inference.http.open_inference.infer_body import predict_input, read_tensors
from inference.models.names import names_network, version_in

#: What may hold the rows.
ROWS = ("vector", "data", "inputs")


@dataclass(frozen=True)
class Asked:
    """What is to be predicted, and whether the answer is to be tensors, as the inputs were."""

    predict: PredictInput
    tensors: bool


def read_asked(arguments: dict[str, Any], seconds: float | None) -> Asked:
    """The rows, and by what they are to be predicted.

    Raises:
        BadInputError: there are no rows, or something that is none, or no such name of a network or version.
        TooLargeError: the rows are more than one message to a worker holds.
    """
    if sum(name in arguments for name in ROWS) != 1:
        raise BadInputError(
            f"{TASK} takes one of vector (one row), data (a list of rows) and inputs (a list of tensors)"
        )
    network, version = _network(arguments.get("network")), _version(arguments.get("version"))
    if "inputs" in arguments:
        return Asked(predict_input(read_tensors(arguments["inputs"]), network, version, DOOR, seconds), tensors=True)
    name, inputs = read_inputs(arguments)
    asked = PredictInput(inputs, name == "vector", network, version, DOOR, seconds=seconds)
    return Asked(bounded(asked, name), tensors=False)


def _network(given: Any) -> str | None:
    if given is not None and not names_network(given):
        raise BadInputError("network must be a network's id, 32 lower-case hex digits, or its name")
    return given  # type: ignore[no-any-return]  # it is a text, or nothing


def _version(given: Any) -> int | str | None:
    if given is None or (type(given) is int and 0 < given <= MAX_VERSION):
        return given
    if isinstance(given, str) and (version := version_in(given)) is not None:
        return version
    raise BadInputError(f"version must be a whole number from 1 to {MAX_VERSION}, or a label")
