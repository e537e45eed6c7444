"""What a network takes and makes, as workers tell gateways, which do not import Keras."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from workers.messages.message import Message, ProtocolError, is_count, require
from workers.messages.tensors import DTYPES, RANK_MAX, STRING, TENSORS_MAX, is_tensor_name


@dataclass(frozen=True, slots=True)
class TensorSignature(Message):
    """An input or output: its name, its dtype, and the shape of one row; a size of None is any."""

    name: str
    dtype: str
    shape: Sequence[int | None]

    def __post_init__(self) -> None:
        require(is_tensor_name(self.name), "name must be a short text that can be printed")
        require(self.dtype in DTYPES or self.dtype == STRING, "dtype must be one that travels")
        sizes = self.shape
        require(isinstance(sizes, list | tuple) and len(sizes) < RANK_MAX, "shape must be a list of sizes")
        require(all(size is None or is_count(size) for size in sizes), "sizes must be counts, or null")


@dataclass(frozen=True, slots=True)
class NetworkSignature(Message):
    """All inputs and outputs, in the network's order."""

    inputs: Sequence[TensorSignature]
    outputs: Sequence[TensorSignature]

    def __post_init__(self) -> None:
        for tensors in (self.inputs, self.outputs):
            require(0 < len(tensors) <= TENSORS_MAX, f"a network has 1 to {TENSORS_MAX} inputs and outputs")

    @classmethod
    def from_json(cls, data: object) -> Self:
        """The signature that a JSON object holds.

        Raises:
            ProtocolError: it is none.
        """
        if not isinstance(data, Mapping):
            raise ProtocolError("a signature must be an object")
        return cls(_tensors(data.get("inputs")), _tensors(data.get("outputs")))


def _tensors(data: Any) -> list[TensorSignature]:
    require(isinstance(data, list), "a signature must have lists of inputs and outputs")
    return [TensorSignature.from_json(each) for each in data[: TENSORS_MAX + 1]]
