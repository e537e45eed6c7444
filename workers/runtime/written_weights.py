"""What the helper process tells of a file that it has read, and of what it has written for the worker to load."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True)
class WrittenWeights:
    """`layout` is what was written: "hdf5", or "tensors", the bare numbers of the variables.

    The file's layers can be used in so many `orders`; `ignored` names what is in it and was not used, "" when nothing.
    """

    layout: str
    orders: int = 1
    ignored: str = ""

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """What `to_json` made."""
        return cls(str(data["layout"]), int(data["orders"]), str(data["ignored"]))
