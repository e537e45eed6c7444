"""What every message between gateway and worker has in common: it is a dataclass that validates what it reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, Self

#: What a trace, or a line of it, is cut to: it may quote what was uploaded, such as a name of megabytes.
TRACE_CHARACTERS_MAX = 16 * 1024
LINE_CHARACTERS_MAX = 2 * 1024
_LONG_LINE = re.compile(f"[^\n]{{{LINE_CHARACTERS_MAX + 1},}}")


class ProtocolError(ValueError):
    """A message does not have the shape that this version of Pipeline speaks."""


def require(condition: bool, what: str) -> None:
    """Raise ProtocolError, saying `what` is wrong, unless the condition holds."""
    if not condition:
        raise ProtocolError(what)


def is_count(value: object) -> bool:
    """Whether a value is a whole number, 0 or more."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def storable(text: str) -> str:
    """The text as UTF-8 and every database can hold it: a lone surrogate, or a NUL, shown as its escape."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")


def shorten(trace: str) -> str:
    """The trace without the middle of a long line, and of a long whole: its last line, which is the reason, stays."""
    lines_cut = _LONG_LINE.sub(lambda line: _leave_out_middle(line[0], LINE_CHARACTERS_MAX), trace)
    return _leave_out_middle(lines_cut, TRACE_CHARACTERS_MAX)


def _leave_out_middle(text: str, characters_max: int) -> str:
    if len(text) <= characters_max:
        return text
    kept = (characters_max - len(_left_out(len(text)))) // 2
    return text[:kept] + _left_out(len(text) - 2 * kept) + text[-kept:]


def _left_out(characters: int) -> str:
    return f" … {characters} characters left out … "


class Message:
    """Base of all messages: to and from the JSON object that crosses the wire."""

    def to_json(self) -> dict[str, Any]:
        """The message as a JSON object."""
        return asdict(self)  # type: ignore[call-overload, no-any-return]  # every subclass is a dataclass

    @classmethod
    def from_json(cls, data: object) -> Self:
        """The message that a JSON object holds; fields that this version does not know are ignored.

        Raises:
            ProtocolError: a field is missing or has a wrong type or value.
        """
        if not isinstance(data, Mapping):
            raise ProtocolError(f"{cls.__name__}: expected an object, got {type(data).__name__}")
        known = {field.name: data[field.name] for field in fields(cls) if field.name in data}  # type: ignore[arg-type]
        try:
            return cls(**known)
        except (TypeError, AttributeError) as error:
            raise ProtocolError(f"{cls.__name__}: {error}") from error
