"""Reads `instances`, row by row, or `inputs`, input by input; and writes what the network answers in the same form."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from inference.dispatch.answer import Answer
from inference.dispatch.predict_input import PredictInput, bounded, require_rows
from inference.errors import BadInputError
from inference.http.bodies.json_numbers import MAX_DEPTH, read_numbers
from inference.http.loop_request import LoopAnswer
from workers.messages.arrays import to_tensor
from workers.messages.tensors import ONLY_INPUT, Tensors

#: What timings and metrics call this protocol.
DOOR = "v1"
#: The only signature that a Keras network has, by the name that TensorFlow gives it.
SIGNATURE = "serving_default"
#: The key of a text in base64.
B64 = "b64"


@dataclass(slots=True)
class RowsRequest:
    """What is to be predicted, and whether it came, and is to be answered, row by row."""

    asked: PredictInput
    by_row: bool


def read_rows_request(body: Any, network: str, version: int | str | None) -> RowsRequest:
    """What a request's JSON asks for; its lists may have become arrays (`large_json`).

    Raises:
        BadInputError: it holds no rows, or something that is none.
        TooLargeError: its rows are more than one message to a worker holds.
    """
    if not isinstance(body, dict):
        raise BadInputError('the request must be a JSON object like {"instances": [[0.1, 0.2]]}')
    if (signature := body.get("signature_name", "")) not in ("", SIGNATURE):
        raise BadInputError(f"there is no signature {ascii(signature)[:80]}: every network has {SIGNATURE!r} alone")
    by_row = "instances" in body
    if by_row == ("inputs" in body):
        raise BadInputError('the request must have either "instances" (row by row) or "inputs" (input by input)')
    inputs = _read_instances(body["instances"]) if by_row else _read_columns(body["inputs"])
    what = "instances" if by_row else "inputs"
    require_rows(inputs, what)
    return RowsRequest(bounded(PredictInput(inputs, False, network, version, DOOR), what), by_row)


def _read_instances(rows: Any) -> Tensors:
    if isinstance(rows, np.ndarray):
        return {ONLY_INPUT: to_tensor(rows)}
    if not isinstance(rows, list) or not rows:
        raise BadInputError("instances must be a list of rows")
    if not isinstance(rows[0], dict) or rows[0].keys() == {B64}:
        return {ONLY_INPUT: to_tensor(read_numbers("instances", _decoded(rows)))}
    names = rows[0].keys()
    if any(not isinstance(row, dict) or row.keys() != names for row in rows):
        raise BadInputError("instances must all have the same inputs by name")
    return {name: to_tensor(read_numbers(f"instances.{name}", _decoded([row[name] for row in rows]))) for name in names}


def _read_columns(columns: Any) -> Tensors:
    if not isinstance(columns, dict) or columns.keys() == {B64}:
        columns = {ONLY_INPUT: columns}
    read = {}
    for name, column in columns.items():
        if not isinstance(column, list | np.ndarray):
            raise BadInputError(f"inputs{name and '.'}{name} must be a list of rows")
        read[name] = to_tensor(read_numbers(f"inputs{name and '.'}{name}", _decoded(column)))
    return read


def _decoded(value: Any, depth: int = 0) -> Any:
    """The value with each `{"b64": …}` as the text that it stands for."""
    if isinstance(value, list) and value and isinstance(value[0], dict | list) and depth < MAX_DEPTH:
        return [_decoded(each, depth + 1) for each in value]
    if not isinstance(value, dict):
        return value
    try:
        return base64.b64decode(value[B64], validate=True).decode()
    except UnicodeDecodeError as error:
        raise BadInputError(
            "what is in base64 must be text in UTF-8: networks here take texts, no other bytes"
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise BadInputError('an object among the rows must be {"b64": "text in base64"}') from error


def write_rows_answer(request: RowsRequest, answer: Answer) -> LoopAnswer:
    """The answer: predictions row by row, or outputs one by one; by name when there are several."""
    outputs = {name: _written(output) for name, output in answer.outputs.items()}
    told: Any = outputs if len(outputs) > 1 else next(iter(outputs.values()))
    if request.by_row and len(outputs) > 1:
        told = [dict(zip(outputs, row, strict=True)) for row in zip(*outputs.values(), strict=True)]
    return LoopAnswer(
        orjson.dumps({"predictions" if request.by_row else "outputs": told}, option=orjson.OPT_SERIALIZE_NUMPY)
    )


def _written(output: Any) -> Any:
    """As orjson writes it: texts from lists alone."""
    if output.dtype.kind == "O":
        return output.tolist()
    return output.astype(np.float32) if output.dtype == np.float16 else output
