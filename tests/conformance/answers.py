"""What is answered to a call, in a form that can be compared."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

from tests.conformance.calls import HEAD_SIZE, Call

ANSWER_SECONDS = 30.0
UNPACK = {"gzip": gzip.decompress, "deflate": zlib.decompress}


@dataclass(frozen=True)
class Answer:
    """Its status, and a line for each thing that it says: of a prediction with its value, else with its kind."""

    status: int
    says: frozenset[str]
    error: str = ""


def answer_of(address: str, call: Call) -> Answer:
    """Ask; on a connection of its own."""
    connection = HTTPConnection(address, timeout=ANSWER_SECONDS)
    try:
        connection.putrequest(call.method, call.path, skip_accept_encoding=True)
        for name, value in {"Content-Length": str(len(call.body)), **call.headers}.items():
            connection.putheader(name, value)
        connection.endheaders(call.body)
        response = connection.getresponse()
        return _read(call, response.status, dict(response.headers.items()), response.read())
    finally:
        connection.close()


def _read(call: Call, status: int, headers: dict[str, str], body: bytes) -> Answer:
    by_name = {name.lower(): value for name, value in headers.items()}
    encoding = by_name.get("content-encoding", "")
    content = UNPACK[encoding](body) if encoding else body
    size = by_name.get(HEAD_SIZE.lower())
    head, raw = (content[: int(size)], content[int(size) :]) if size else (content, b"")
    try:
        told = json.loads(head) if head else None
    except ValueError:
        return Answer(status, frozenset({"text that is no JSON"}), head.decode("latin-1"))
    if call.infers and status == 200:
        lines = {
            *_values(told),
            *([f"bytes: {raw.hex()}"] if raw else []),
            *([f"packed: {encoding}"] if encoding else []),
        }
    else:
        lines = set(_kinds(told))
    return Answer(status, frozenset(lines), str(told.get("error", "")) if isinstance(told, dict) else "")


def _values(value: Any, path: str = "") -> Iterator[str]:
    """A line for each value; lists of numbers and texts are one, the outputs are in their order."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _values(each, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for number, each in enumerate(value):
            yield from _values(each, f"{path}[{number}]")
    else:
        yield f"{path}: {_number(value)}"


def _number(value: Any) -> str:
    return str(
        [float(each) if isinstance(each, int | float) else each for each in value] if isinstance(value, list) else value
    )


def _kinds(value: Any, path: str = "") -> Iterator[str]:
    """A line for each thing that there is, and what kind of thing it is."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _kinds(each, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for each in value:
            yield from _kinds(each, f"{path}[]")
    elif value is not None:
        yield f"{path}: {type(value).__name__}"
