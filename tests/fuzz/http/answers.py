"""Reads what came back, strictly: whole answers, one after the other, and nothing between or after them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2}) [ -~]*")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~\x80-\xff]*)")
WITHOUT_BODY = (204, 304)


class NoAnswerError(Exception):
    """What came back is no answer as HTTP has them."""


@dataclass(frozen=True)
class Answer:
    """One answer; names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def request_id(self) -> str:
        """Which request it says it answers."""
        return self.headers.get("x-request-id", "")

    @property
    def is_last(self) -> bool:
        """Whether the connection ends with it."""
        return self.headers.get("connection", "").lower() == "close"

    def json(self) -> Any:
        """Its body's value; raises NoAnswerError when it is no JSON."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise NoAnswerError(f"{self.status} with a body that is no JSON: {self.body[:200]!r}") from error


def read_answers(received: bytes, heads_only: Sequence[str] = ()) -> list[Answer]:
    """All answers in what was received; those to the requests named in `heads_only` have no body.

    Raises:
        NoAnswerError: there is something else, or half of one.
    """
    answers = []
    while received:
        head, found, rest = received.partition(b"\r\n\r\n")
        if not found:
            raise NoAnswerError(f"no head: {received[:200]!r}")
        status, headers = _read_head(head)
        if status == 100:
            received = rest
            continue
        if status in WITHOUT_BODY or headers.get("x-request-id") in heads_only:
            body, received = b"", rest
        else:
            body, received = _read_body(headers, rest)
        answers.append(Answer(status, headers, body))
    return answers


def _read_head(head: bytes) -> tuple[int, dict[str, str]]:
    line, *lines = head.split(b"\r\n")
    match = _LINE.fullmatch(line)
    if match is None:
        raise NoAnswerError(f"no status line: {line[:200]!r}")
    headers: dict[str, str] = {}
    for each in lines:
        header = _HEADER.fullmatch(each)
        if header is None:
            raise NoAnswerError(f"no header: {each[:200]!r}")
        name = header[1].decode("ascii").lower()
        if name in headers and name in ("content-length", "content-type", "x-request-id", "connection"):
            raise NoAnswerError(f"{name} twice")
        headers[name] = header[2].decode("latin-1").strip()
    return int(match[1]), headers


def _read_body(headers: dict[str, str], rest: bytes) -> tuple[bytes, bytes]:
    """The body, and what comes after it."""
    said, coding = headers.get("content-length", ""), headers.get("transfer-encoding")
    if coding == "chunked" and not said:
        return _read_chunks(rest)
    if coding or not said.isdecimal():
        raise NoAnswerError(f"an answer without a length: {headers}")
    if len(rest) < int(said):
        raise NoAnswerError(f"an answer with {len(rest)} of {said} bytes")
    return rest[: int(said)], rest[int(said) :]


def _read_chunks(rest: bytes) -> tuple[bytes, bytes]:
    body = bytearray()
    while True:
        size, found, rest = rest.partition(b"\r\n")
        if not found or not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", size):
            raise NoAnswerError(f"no chunk: {size[:200]!r}")
        chunk, end, rest = rest[: int(size, 16)], rest[int(size, 16) : int(size, 16) + 2], rest[int(size, 16) + 2 :]
        if end != b"\r\n":
            raise NoAnswerError(f"a chunk without an end: {chunk[:200]!r}")
        if not chunk:
            return bytes(body), rest
        body += chunk
