"""Reads what an upload says beside its file: the order of a PyTorch file's layers, and examples that must hold."""

from __future__ import annotations

from typing import IO, Any

from rest_framework.exceptions import ParseError

from inference.errors import BadInputError
from inference.http.bodies.json_format import read_json
from inference.http.bodies.json_numbers import read_numbers
from inference.http.bodies.predict_body import read_predict_input
from workers.messages.arrays import to_tensor
from workers.messages.message import ProtocolError
from workers.messages.tensors import ONLY_INPUT, Tensors
from workers.messages.terms import Expected, Terms

#: The longest text of examples that is read.
EXPECT_BYTES_MAX = 8 * 1024 * 1024
#: How far an answer may be from its example, when nothing is said.
TOLERANCE = 1e-4
FIELDS = {"vector", "data", "result", "tolerance"}
SHAPE = 'expect must be an object like {"data": [[0.3, 0.7]], "result": [1.0], "tolerance": 0.01}'


def read_terms(order: str, expect: str | IO[bytes] | None) -> Terms:
    """What was sent in the fields `order` and `expect`.

    Raises:
        BadInputError: one of them cannot be read; the message says what it should be.
    """
    names = [name.strip() for name in order.split(",")] if order.strip() else []
    try:
        terms = Terms(names, None if expect is None else _read_expected(_text(expect)))
        terms.to_bytes()
    except ProtocolError as error:
        raise BadInputError(str(error)) from error
    return terms


def _text(expect: str | IO[bytes]) -> bytes:
    text = expect.encode() if isinstance(expect, str) else expect.read(EXPECT_BYTES_MAX + 1)
    if len(text) > EXPECT_BYTES_MAX:
        raise BadInputError(f"expect must not be longer than {EXPECT_BYTES_MAX} bytes")
    return text


def _read_expected(text: bytes) -> Expected | None:
    if not text.strip():
        return None
    try:
        body = read_json(text)
    except ParseError as error:
        raise BadInputError(f"expect {str(error.detail).removeprefix('the body ')}. {SHAPE}") from error
    if not isinstance(body, dict) or "result" not in body or body.keys() - FIELDS:
        raise BadInputError(SHAPE)
    try:
        asked = read_predict_input({name: body[name] for name in ("vector", "data") if name in body})
        results = [body["result"]] if asked.single else body["result"]
        return Expected(asked.inputs, _read_results(results, asked.single), body.get("tolerance", TOLERANCE))
    except (BadInputError, ProtocolError) as error:
        raise BadInputError(f"expect: {error}") from error


def _read_results(results: Any, single: bool) -> Tensors:
    named = results[0] if single else results
    if isinstance(named, dict):
        return {name: _read_result(f"result.{name}", [each] if single else each) for name, each in named.items()}
    return {ONLY_INPUT: _read_result("result", results)}


def _read_result(name: str, results: Any) -> Any:
    if not isinstance(results, list):
        raise BadInputError(f"{name} must be a list with a result for each row")
    return to_tensor(read_numbers(name, results))
