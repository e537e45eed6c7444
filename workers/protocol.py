"""What gateway and workers say to each other: every message's shape, validated where it is read. Stdlib only.

Numbers travel as little-endian bytes with their dtype and shape, so a float32 arrives as it left.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from math import prod
from typing import Any, Self

PREDICT_QUEUE = "predict"
SUPPLY_QUEUE = "supply"
PREDICT_TASK = "workers.tasks.predict"
LOAD_COMMAND = "load_network"
STATUS_COMMAND = "report_status"

#: No message is larger than RabbitMQ 4 takes by default (16 MiB), with room for headers.
CHUNK_BYTES = 4 * 1024 * 1024
CHUNK_CONTENT_TYPE = "application/octet-stream"

#: What the only input of a network may be called instead of its name.
ONLY_INPUT = ""
#: The most inputs, or outputs, of a network, and the longest name of one.
TENSORS_MAX = 256
NAME_CHARACTERS_MAX = 256
#: The most bytes of numbers that one batch, or its answer, may have: in base64 they stay below those 16 MiB.
TENSORS_BYTES_MAX = 11 * 1024 * 1024
#: The most dimensions of a tensor: numpy's.
RANK_MAX = 64

_NN_ID = re.compile(r"[0-9a-f]{32}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_ITEM_BYTES = {
    "bool": 1, "int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "float16": 2,
    "int32": 4, "uint32": 4, "float32": 4, "int64": 8, "uint64": 8, "float64": 8,
}  # fmt: skip


class ProtocolError(ValueError):
    """A message does not have the shape that this version of Pipeline speaks."""


def is_nn_id(text: object) -> bool:
    """Whether `text` names a network: 32 lower-case hex digits."""
    return isinstance(text, str) and _NN_ID.fullmatch(text) is not None


def is_digest(text: object) -> bool:
    """Whether `text` is a SHA-256 in lower-case hex."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise ProtocolError(what)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


class Message:
    """Base of the dataclasses below: to and from the JSON object that crosses the wire."""

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


@dataclass(frozen=True, slots=True)
class VersionRef(Message):
    """One version of a network: what a worker must know to fetch, load and name it."""

    nn_id: str
    number: int
    digest: str
    architecture: str

    def __post_init__(self) -> None:
        _require(is_nn_id(self.nn_id), "nn_id must be 32 lower-case hex digits")
        _require(_is_count(self.number) and self.number > 0, "number must be a positive integer")
        _require(is_digest(self.digest) and is_digest(self.architecture), "digests must be SHA-256 in hex")

    def __str__(self) -> str:
        return f"{self.nn_id} version {self.number}"


@dataclass(frozen=True, slots=True)
class Tensor(Message):
    """Rows of numbers: `shape` counts the rows first; `data` is little-endian, row-major."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes

    def __post_init__(self) -> None:
        _require(self.dtype in _ITEM_BYTES, f"unknown dtype {self.dtype!r}")
        _require(0 < len(self.shape) <= RANK_MAX, f"shape must have 1 to {RANK_MAX} sizes")
        _require(all(_is_count(size) for size in self.shape), "shape must count rows first")
        expected = prod(self.shape) * _ITEM_BYTES[self.dtype]
        _require(len(self.data) == expected, f"{len(self.data)} bytes of data where the shape needs {expected}")

    def to_json(self) -> dict[str, Any]:
        """The tensor as a JSON object, its data in base64."""
        data = base64.b64encode(self.data).decode("ascii")
        return {"dtype": self.dtype, "shape": list(self.shape), "data": data}

    @classmethod
    def from_json(cls, data: object) -> Self:
        """The tensor that a JSON object holds.

        Raises:
            ProtocolError: a field is missing, is no base64, or does not fit the others.
        """
        try:
            return cls(data["dtype"], tuple(data["shape"]), base64.b64decode(data["data"], validate=True))  # type: ignore[index]
        except (KeyError, TypeError, binascii.Error, ValueError) as error:
            raise ProtocolError(f"Tensor: {error}") from error


#: A network's inputs, or outputs, by name.
Tensors = dict[str, Tensor]


def count_rows(tensors: Tensors) -> int:
    """How many rows a network's inputs, or outputs, have.

    Raises:
        ProtocolError: there are none, or too many, or a name is too long, or they differ in their number of rows.
    """
    _require(0 < len(tensors) <= TENSORS_MAX, f"a network has 1 to {TENSORS_MAX} inputs or outputs")
    for name in tensors:
        _require(isinstance(name, str) and len(name) <= NAME_CHARACTERS_MAX, "a name is too long, or no text")
    counts = {tensor.shape[0] for tensor in tensors.values()}
    rows = counts.pop()
    _require(not counts, "every input, or output, needs the same number of rows")
    _require(rows > 0, "there must be at least one row")
    return rows


def count_bytes(tensors: Tensors) -> int:
    """How many bytes the numbers of a network's inputs, or outputs, take."""
    return sum(len(tensor.data) for tensor in tensors.values())


def _tensors_to_json(tensors: Tensors) -> dict[str, Any]:
    return {name: tensor.to_json() for name, tensor in tensors.items()}


def _tensors_from_json(data: object) -> Tensors:
    _require(isinstance(data, Mapping), "tensors must be an object of names")
    return {name: Tensor.from_json(item) for name, item in data.items()}  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class PredictBatch(Message):
    """The rows of `requests` waiting requests, to be answered by exactly this version.

    `inputs` are named as the network names them; its only input may be called "".
    """

    version: VersionRef
    inputs: Tensors
    requests: int

    def __post_init__(self) -> None:
        _require(_is_count(self.requests) and self.requests > 0, "requests must be a positive integer")
        count_rows(self.inputs)

    @property
    def rows_count(self) -> int:
        """How many rows the batch has."""
        return count_rows(self.inputs)

    def to_json(self) -> dict[str, Any]:
        """The batch as a JSON object."""
        inputs = _tensors_to_json(self.inputs)
        return {"version": asdict(self.version), "inputs": inputs, "requests": self.requests}

    @classmethod
    def from_json(cls, data: object) -> Self:
        """The batch that a JSON object holds.

        Raises:
            ProtocolError: a field is missing or has a wrong type or value.
        """
        try:
            version, inputs, requests = data["version"], data["inputs"], data["requests"]  # type: ignore[index]
        except (KeyError, TypeError) as error:
            raise ProtocolError(f"PredictBatch: {error!r} is missing") from error
        return cls(VersionRef.from_json(version), _tensors_from_json(inputs), requests)


@dataclass(frozen=True, slots=True)
class PredictReply(Message):
    """A batch's outputs by their names in the network, in the order of its rows, and what it took."""

    worker: str
    outputs: Tensors
    inference_ms: float
    handling_ms: float

    def __post_init__(self) -> None:
        count_rows(self.outputs)

    @property
    def rows_count(self) -> int:
        """How many rows were answered."""
        return count_rows(self.outputs)

    def to_json(self) -> dict[str, Any]:
        """The reply as a JSON object."""
        times = {"inference_ms": self.inference_ms, "handling_ms": self.handling_ms}
        return {"worker": self.worker, "outputs": _tensors_to_json(self.outputs), **times}

    @classmethod
    def from_json(cls, data: object) -> Self:
        """The reply that a JSON object holds.

        Raises:
            ProtocolError: a field is missing or has a wrong type or value.
        """
        try:
            times = float(data["inference_ms"]), float(data["handling_ms"])  # type: ignore[index]
            return cls(str(data["worker"]), _tensors_from_json(data["outputs"]), *times)  # type: ignore[index]
        except (KeyError, TypeError, ValueError) as error:
            raise ProtocolError(f"PredictReply: {error!r}") from error


@dataclass(frozen=True, slots=True)
class Report(Message):
    """What one worker answers to a weight change: loaded or not, why not, and how long it took."""

    worker: str
    loaded: bool
    trace: str
    seconds: float

    def __post_init__(self) -> None:
        _require(isinstance(self.worker, str) and isinstance(self.trace, str), "worker and trace must be text")
        _require(isinstance(self.loaded, bool), "loaded must be true or false")
        _require(isinstance(self.seconds, int | float), "seconds must be a number")


@dataclass(frozen=True, slots=True)
class WorkerStatus(Message):
    """What one worker tells about itself; averages are over its last 100 requests."""

    worker: str
    address: list[str]
    nn_id: str | None
    number: int | None
    req_handling_time_avg_ms: float
    inference_time_avg_ms: float
    count_requests_handled: int

    def __post_init__(self) -> None:
        _require(isinstance(self.worker, str) and isinstance(self.address, list), "worker, address")
        _require(self.nn_id is None or is_nn_id(self.nn_id), "nn_id must be 32 lower-case hex digits")
        _require(_is_count(self.count_requests_handled), "count_requests_handled must be a count")


@dataclass(frozen=True, slots=True)
class GatewayStatus(Message):
    """What one gateway process tells the others about itself."""

    gateway: str
    requests_held: int
    requests_max: int

    def __post_init__(self) -> None:
        _require(isinstance(self.gateway, str), "gateway must be text")
        _require(_is_count(self.requests_held) and _is_count(self.requests_max), "requests must be counts")


@dataclass(frozen=True, slots=True)
class FileRequest(Message):
    """A worker's request for one chunk of the file that `digest` names."""

    digest: str
    offset: int

    def __post_init__(self) -> None:
        _require(is_digest(self.digest), "digest must be SHA-256 in hex")
        _require(_is_count(self.offset) and self.offset % CHUNK_BYTES == 0, "offset must be a whole chunk's")


@dataclass(frozen=True, slots=True)
class FileChunk:
    """One chunk of a file; `size` is the whole file's in bytes, and -1 says that no gateway has it.

    It travels as bare bytes with the size in a header, not as JSON: base64 would be a third more, and time.
    """

    size: int
    content: bytes

    def __post_init__(self) -> None:
        _require(_is_count(self.size) or self.size == -1, "size must be a count of bytes, or -1")
        _require(isinstance(self.content, bytes), "content must be bytes")
        _require(len(self.content) <= CHUNK_BYTES, f"a chunk has at most {CHUNK_BYTES} bytes")

    def headers(self) -> dict[str, Any]:
        """The message's headers; its body is the content."""
        return {"size": self.size}

    @classmethod
    def from_message(cls, content_type: object, headers: object, body: object) -> Self:
        """The chunk that a message holds.

        Raises:
            ProtocolError: the message is of another type, too long, or does not tell the size.
        """
        _require(content_type == CHUNK_CONTENT_TYPE, f"FileChunk: the content type is {content_type!r}")
        _require(isinstance(headers, Mapping) and "size" in headers, "FileChunk: the size is missing")
        return cls(headers["size"], body)  # type: ignore[index, arg-type]  # checked above, and by the class


@dataclass(frozen=True, slots=True)
class ActiveVersions(Message):
    """The active version of every network; the default network's stands first."""

    versions: tuple[VersionRef, ...]

    @classmethod
    def from_json(cls, data: object) -> Self:
        """The versions that a JSON object holds.

        Raises:
            ProtocolError: a field is missing or has a wrong type or value.
        """
        try:
            return cls(tuple(VersionRef.from_json(item) for item in data["versions"]))  # type: ignore[index]
        except (KeyError, TypeError) as error:
            raise ProtocolError(f"ActiveVersions: {error!r}") from error
