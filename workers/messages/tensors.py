"""Numbers and texts in messages: a network's inputs and outputs, by name.

Numbers travel as little-endian bytes with their dtype and shape, so a float32 arrives as it left; texts in UTF-8, each
behind its length, so that the rows of several requests are joined as those of numbers are.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Self

from workers.messages.message import Message, ProtocolError, is_count, require

#: What the only input of a network may be called instead of its name.
ONLY_INPUT = ""
#: The most inputs, or outputs, of a network, and the longest name of one; see `is_tensor_name`.
TENSORS_MAX = 256
NAME_CHARACTERS_MAX = 256
#: The most bytes of numbers and texts in one batch, or its answer. RabbitMQ 4 takes 16 MiB.
TENSORS_BYTES_MAX = 11 * 1024 * 1024
#: The most dimensions of a tensor: numpy's; and the most numbers, of one that has any.
RANK_MAX = 64
NUMBERS_MAX = 2**31 - 1
#: The most rows of a request or batch. Rows may be of no bytes at all, and each is an answer.
ROWS_MAX = 4 * 1024 * 1024
_ITEM_BYTES = {
    "bool": 1, "int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "float16": 2,
    "int32": 4, "uint32": 4, "float32": 4, "int64": 8, "uint64": 8, "float64": 8,
}  # fmt: skip
#: What numbers may be.
DTYPES = frozenset(_ITEM_BYTES)
#: The dtype of texts, by Keras's name.
STRING = "string"
#: Of the length of a text in bytes, which stands before it, little-endian.
LENGTH_BYTES = 4


@dataclass(slots=True)  # not frozen: each request makes some
class Tensor(Message):
    """Rows of numbers, or of texts: `shape` counts the rows first; `data` is little-endian, row-major.

    One that has come by a message is checked; one that is made of an array is right.
    """

    dtype: str
    shape: tuple[int, ...]
    data: bytes

    def check(self) -> Self:
        """Itself.

        Raises:
            ProtocolError: there is no such dtype or shape, or the data do not fit them.
        """
        item_bytes = LENGTH_BYTES if self.dtype == STRING else _ITEM_BYTES.get(self.dtype)
        if item_bytes is None:
            raise ProtocolError(f"unknown dtype {self.dtype!r}")
        if not 0 < len(self.shape) <= RANK_MAX:
            raise ProtocolError(f"shape must have 1 to {RANK_MAX} sizes")
        require(all(map(is_count, self.shape)), "shape must count rows first")
        count = prod(self.shape)
        # Of one without any numbers, the other sizes: numpy makes none where they are larger.
        largest = count or prod(filter(None, self.shape))
        require(largest <= NUMBERS_MAX, f"shape must have at most {NUMBERS_MAX} numbers")
        if self.dtype == STRING:
            read_texts(self.data, count)
        elif len(self.data) != count * item_bytes:
            raise ProtocolError(f"{len(self.data)} bytes of data where the shape needs {count * item_bytes}")
        return self

    def to_packed(self) -> dict[str, Any]:
        """The tensor as it travels, its data as bytes."""
        return {"dtype": self.dtype, "shape": self.shape, "data": self.data}

    def to_json(self) -> dict[str, Any]:
        """The tensor as a JSON object, its data in base64."""
        data = base64.b64encode(self.data).decode("ascii")
        return {"dtype": self.dtype, "shape": list(self.shape), "data": data}

    @classmethod
    def from_json(cls, data: object) -> Self:
        """The tensor that an object holds, its data as bytes or in base64.

        Raises:
            ProtocolError: a field is missing, is no base64, or does not fit the others.
        """
        try:
            dtype, shape, content = data["dtype"], data["shape"], data["data"]  # type: ignore[index]
            if not isinstance(content, bytes):
                content = base64.b64decode(content, validate=True)
            return cls(dtype, tuple(shape), content).check()
        except (KeyError, TypeError, binascii.Error, ValueError) as error:
            raise ProtocolError(f"Tensor: {error}") from error


def write_texts(texts: Iterable[str]) -> bytes:
    """Texts as they travel.

    Raises:
        UnicodeEncodeError: one has a lone surrogate, which UTF-8 has not.
    """
    encoded = [text.encode() for text in texts]
    return b"".join([part for each in encoded for part in (len(each).to_bytes(LENGTH_BYTES, "little"), each)])


def read_texts(data: bytes, count: int) -> list[str]:
    """The `count` texts that `write_texts` wrote.

    Raises:
        ProtocolError: there are fewer or more, or one is no UTF-8.
    """
    # Before anything is read: a shape may speak of more texts than there is memory.
    require(count * LENGTH_BYTES <= len(data), f"{len(data)} bytes of data hold no {count} texts")
    texts: list[str] = []
    start = 0
    try:
        for _ in range(count):
            begin = start + LENGTH_BYTES
            start = begin + int.from_bytes(data[begin - LENGTH_BYTES : begin], "little")
            texts.append(data[begin:start].decode())
    except UnicodeDecodeError as error:
        raise ProtocolError(f"a text is no UTF-8: {error}") from error
    require(start == len(data), f"{len(data)} bytes of data where the lengths of {count} texts need {start}")
    return texts


#: A network's inputs, or outputs, by name.
Tensors = dict[str, Tensor]


def is_tensor_name(name: object) -> bool:
    """Whether `name` can stand for an input or output in every message and answer: short text that can be printed.

    JSON in UTF-8 has no lone surrogates, and a control character in a name is no more than a trap.
    """
    return isinstance(name, str) and len(name) <= NAME_CHARACTERS_MAX and name.isprintable()


def count_rows(tensors: Tensors) -> int:
    """How many rows a network's inputs, or outputs, have.

    Raises:
        ProtocolError: there are none, or too many, or one has no name, or they differ in their number of rows.
    """
    require(0 < len(tensors) <= TENSORS_MAX, f"a network has 1 to {TENSORS_MAX} inputs or outputs")
    require(all(map(is_tensor_name, tensors)), "a name is too long, or no text that can be printed")
    counts = {tensor.shape[0] for tensor in tensors.values()}
    rows = counts.pop()
    require(not counts, "every input, or output, needs the same number of rows")
    require(0 < rows <= ROWS_MAX, f"there must be 1 to {ROWS_MAX} rows")
    return rows


def count_bytes(tensors: Tensors) -> int:
    """How many bytes the numbers and texts of a network's inputs, or outputs, take."""
    return sum([len(tensor.data) for tensor in tensors.values()])


def pack_tensors(tensors: Tensors) -> dict[str, Any]:
    """Inputs, or outputs, as they travel."""
    return {name: tensor.to_packed() for name, tensor in tensors.items()}


def tensors_to_json(tensors: Tensors) -> dict[str, Any]:
    """Inputs, or outputs, as a JSON object."""
    return {name: tensor.to_json() for name, tensor in tensors.items()}


def tensors_from_json(data: object) -> Tensors:
    """The inputs, or outputs, that a JSON object holds.

    Raises:
        ProtocolError: it is no object of tensors.
    """
    require(isinstance(data, Mapping), "tensors must be an object of names")
    return {name: Tensor.from_json(item) for name, item in data.items()}  # type: ignore[attr-defined]
