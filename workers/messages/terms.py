"""What an upload says beside its bytes, and stays with its version: its layers' order, and what it must answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import orjson

from workers.messages.message import Message, ProtocolError, require
from workers.messages.tensors import Tensors, count_rows, tensors_from_json, tensors_to_json

#: The most bytes of terms: they are one message.
TERMS_BYTES_MAX = 4 * 1024 * 1024
ORDER_NAMES_MAX = 1024
ORDER_NAME_CHARACTERS_MAX = 1024


@dataclass(frozen=True, slots=True)
class Expected(Message):
    """Rows, what a version must answer to them, and how far each number may be from that, absolutely or as a part."""

    inputs: Tensors
    outputs: Tensors
    tolerance: float

    def __post_init__(self) -> None:
        require(count_rows(self.inputs) == count_rows(self.outputs), "there must be a result for each row")
        number = isinstance(self.tolerance, int | float) and not isinstance(self.tolerance, bool)
        require(
            number and math.isfinite(self.tolerance) and self.tolerance >= 0, "tolerance must be a number from 0 on"
        )

    @property
    def rows_count(self) -> int:
        """How many rows there are."""
        return count_rows(self.inputs)

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        tensors = {"inputs": tensors_to_json(self.inputs), "outputs": tensors_to_json(self.outputs)}
        return {**tensors, "tolerance": self.tolerance}

    @classmethod
    def from_json(cls, data: object) -> Self:
        """What `to_json` made.

        Raises:
            ProtocolError: it did not.
        """
        try:
            inputs, outputs, tolerance = data["inputs"], data["outputs"], data["tolerance"]  # type: ignore[index]
        except (KeyError, TypeError) as error:
            raise ProtocolError(f"Expected: {error!r}") from error
        return cls(tensors_from_json(inputs), tensors_from_json(outputs), tolerance)


@dataclass(frozen=True, slots=True)
class Terms(Message):
    """`order`: the layers of a PyTorch file as they are used; `expected`: examples that must hold."""

    order: Sequence[str] = ()
    expected: Expected | None = None

    def __post_init__(self) -> None:
        named = isinstance(self.order, list | tuple) and len(self.order) <= ORDER_NAMES_MAX
        require(named and all(map(_is_name, self.order)), "order must be a list of names")
        require(len(set(self.order)) == len(self.order), "order names a layer twice")
        object.__setattr__(self, "order", tuple(self.order))
        if isinstance(self.expected, dict):
            object.__setattr__(self, "expected", Expected.from_json(self.expected))
        require(self.expected is None or isinstance(self.expected, Expected), "expected must be examples")

    def to_bytes(self) -> bytes:
        """As JSON; the same terms are always the same bytes.

        Raises:
            ProtocolError: they are too long.
        """
        expected = self.expected.to_json() if self.expected else None
        content = orjson.dumps({"order": list(self.order), "expected": expected}, option=orjson.OPT_SORT_KEYS)
        require(len(content) <= TERMS_BYTES_MAX, f"there are more examples than fit in {TERMS_BYTES_MAX} bytes")
        return content

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """What `to_bytes` made.

        Raises:
            ProtocolError: it did not.
        """
        require(len(content) <= TERMS_BYTES_MAX, f"terms are longer than {TERMS_BYTES_MAX} bytes")
        try:
            return cls.from_json(orjson.loads(content))
        except orjson.JSONDecodeError as error:
            raise ProtocolError(f"Terms: {error}") from error


def _is_name(text: object) -> bool:
    return isinstance(text, str) and 0 < len(text) <= ORDER_NAME_CHARACTERS_MAX


#: Of an upload that says nothing beside.
NO_TERMS = Terms()
