"""What gateway and workers say to each other: every message's shape, validated where it is read. Stdlib only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self, TypeGuard

from workers.messages.details import WorkerDetails
from workers.messages.message import Message, ProtocolError, is_count, require, shorten, storable
from workers.messages.network_signature import NetworkSignature
from workers.messages.request_id import REQUEST_ID_CHARACTERS_MAX, REQUEST_IDS_MAX
from workers.messages.tensors import Tensors, count_rows, pack_tensors, tensors_from_json

PREDICT_QUEUE = "predict"
SUPPLY_QUEUE = "supply"
QUARANTINE_QUEUE = "quarantine"
PREDICT_TASK = "workers.tasks.predict"
LOAD_COMMAND = "load_network"
STATUS_COMMAND = "report_status"

#: No message is larger than RabbitMQ 4 takes by default, with room for headers.
MESSAGE_BYTES_MAX = 16 * 1024 * 1024

#: What a report tells beside: so many sentences, each of so many characters.
REMARKS_MAX = 8
REMARK_CHARACTERS_MAX = 1024

#: A worker's name is in the names of its queues, which AMQP holds to as many bytes.
WORKER_CHARACTERS_MAX = 255

_NN_ID = re.compile(r"[0-9a-f]{32}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


def is_nn_id(text: object) -> bool:
    """Whether `text` names a network: 32 lower-case hex digits."""
    return isinstance(text, str) and _NN_ID.fullmatch(text) is not None


def is_worker(text: object) -> TypeGuard[str]:
    """Whether `text` may be a worker's name."""
    return isinstance(text, str) and 0 < len(text) <= WORKER_CHARACTERS_MAX


def is_digest(text: object) -> bool:
    """Whether `text` is a SHA-256 in lower-case hex."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def are_request_ids(ids: object) -> bool:
    """Whether these are the ids of requests, not more than go with a batch."""
    if not isinstance(ids, list | tuple) or len(ids) > REQUEST_IDS_MAX:
        return False
    return all(isinstance(each, str) and len(each) <= REQUEST_ID_CHARACTERS_MAX for each in ids)


@dataclass(frozen=True, slots=True)
class VersionRef(Message):
    """One version of a network: what a worker must know to fetch, load and name it."""

    nn_id: str
    number: int
    digest: str
    architecture: str
    #: The digest of its `Terms`, when it has some.
    terms: str | None = None

    def __post_init__(self) -> None:
        require(is_nn_id(self.nn_id), "nn_id must be 32 lower-case hex digits")
        require(is_count(self.number) and self.number > 0, "number must be a positive integer")
        require(is_digest(self.digest) and is_digest(self.architecture), "digests must be SHA-256 in hex")
        require(self.terms is None or is_digest(self.terms), "terms must be a SHA-256 in hex, or null")

    def __str__(self) -> str:
        return f"{self.nn_id} version {self.number}"


@dataclass(frozen=True, slots=True)
class PredictBatch(Message):
    """The rows of waiting requests, one after the other, to be answered by exactly this version.

    `inputs` are named as the network names them; its only input may be called "". `request_rows` are how many each has.
    """

    version: VersionRef
    inputs: Tensors
    request_rows: Sequence[int]
    #: Of the first requests, for the log.
    request_ids: Sequence[str] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        require(are_request_ids(self.request_ids), f"request_ids must be {REQUEST_IDS_MAX} short texts at most")
        counted = isinstance(self.request_rows, list | tuple) and all(map(is_count, self.request_rows))
        require(counted and 0 not in self.request_rows, "request_rows must be positive integers")
        require(sum(self.request_rows) == count_rows(self.inputs), "request_rows must add up to the rows")

    @property
    def requests(self) -> int:
        """How many requests travel in it."""
        return len(self.request_rows)

    @property
    def rows_count(self) -> int:
        """How many rows the batch has."""
        return sum(self.request_rows)

    def to_packed(self) -> dict[str, Any]:
        """The batch as it travels (`workers.messages.packing`)."""
        inputs = pack_tensors(self.inputs)
        return {
            "version": asdict(self.version),
            "inputs": inputs,
            "request_rows": self.request_rows,
            "request_ids": self.request_ids,
        }

    @classmethod
    def from_json(cls, data: object) -> Self:
        """The batch that an object holds.

        Raises:
            ProtocolError: a field is missing or has a wrong type or value.
        """
        try:
            version, inputs, request_rows = data["version"], data["inputs"], data["request_rows"]  # type: ignore[index]
            request_ids = data.get("request_ids", ())  # type: ignore[attr-defined]
        except (KeyError, TypeError, AttributeError) as error:
            raise ProtocolError(f"PredictBatch: {error!r} is missing") from error
        return cls(VersionRef.from_json(version), tensors_from_json(inputs), request_rows, request_ids)


@dataclass(frozen=True, slots=True)
class PredictReply(Message):
    """A batch's outputs by their names in the network, in the order of its rows, and what it took."""

    worker: str
    outputs: Tensors
    inference_ms: float
    handling_ms: float

    def __post_init__(self) -> None:
        require(is_worker(self.worker), "worker must be a name")
        count_rows(self.outputs)

    @property
    def rows_count(self) -> int:
        """How many rows were answered."""
        return count_rows(self.outputs)

    def to_packed(self) -> dict[str, Any]:
        """The reply as it travels."""
        times = {"inference_ms": self.inference_ms, "handling_ms": self.handling_ms}
        return {"worker": self.worker, "outputs": pack_tensors(self.outputs), **times}

    @classmethod
    def from_json(cls, data: object) -> Self:
        """The reply that an object holds.

        Raises:
            ProtocolError: a field is missing or has a wrong type or value.
        """
        try:
            times = float(data["inference_ms"]), float(data["handling_ms"])  # type: ignore[index]
            return cls(data["worker"], tensors_from_json(data["outputs"]), *times)  # type: ignore[index]
        except (KeyError, TypeError, ValueError) as error:
            raise ProtocolError(f"PredictReply: {error!r}") from error


@dataclass(frozen=True, slots=True)
class Report(Message):
    """What one worker answers to a weight change: loaded or not, why not, how long it took, and what is to be known."""

    worker: str
    loaded: bool
    trace: str
    seconds: float
    remarks: Sequence[str] = ()
    #: What the version takes and makes; None when it is not loaded.
    signature: NetworkSignature | None = None

    def __post_init__(self) -> None:
        remarks = self.remarks
        if isinstance(self.signature, Mapping):
            object.__setattr__(self, "signature", NetworkSignature.from_json(self.signature))
        require(self.signature is None or isinstance(self.signature, NetworkSignature), "signature must be an object")
        require(isinstance(remarks, list | tuple) and len(remarks) <= REMARKS_MAX, "remarks must be a short list")
        require(all(isinstance(each, str) for each in remarks), "remarks must be texts")
        object.__setattr__(self, "remarks", [storable(each)[:REMARK_CHARACTERS_MAX] for each in remarks])
        require(is_worker(self.worker) and isinstance(self.trace, str), "worker and trace must be text")
        require(isinstance(self.loaded, bool), "loaded must be true or false")
        require(isinstance(self.seconds, int | float), "seconds must be a number")
        # A trace quotes what was uploaded, such as a layer's name in JSON, which may be any characters, and any number.
        object.__setattr__(self, "trace", shorten(storable(self.trace)))


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
    #: None from workers of earlier releases.
    details: WorkerDetails | None = None

    def __post_init__(self) -> None:
        require(is_worker(self.worker) and isinstance(self.address, list), "worker, address")
        require(self.nn_id is None or is_nn_id(self.nn_id), "nn_id must be 32 lower-case hex digits")
        require(is_count(self.count_requests_handled), "count_requests_handled must be a count")
        if isinstance(self.details, Mapping):
            object.__setattr__(self, "details", WorkerDetails.from_json(self.details))
        require(self.details is None or isinstance(self.details, WorkerDetails), "details must be an object")


@dataclass(frozen=True, slots=True)
class GatewayStatus(Message):
    """What one gateway process tells the others about itself."""

    gateway: str
    requests_held: int
    requests_max: int
    timings_dropped: int = 0

    def __post_init__(self) -> None:
        require(isinstance(self.gateway, str), "gateway must be text")
        require(is_count(self.requests_held) and is_count(self.requests_max), "requests must be counts")
        require(is_count(self.timings_dropped), "timings_dropped must be a count")


@dataclass(frozen=True, slots=True)
class TicketQuestion(Message):
    """A worker's question to a gateway process: whether it still waits for answers with this ticket.

    A command that was recorded and is sent again, even with its signature, is nobody's any more.
    """

    ticket: str

    def __post_init__(self) -> None:
        require(isinstance(self.ticket, str), "ticket must be text")


@dataclass(frozen=True, slots=True)
class TicketAnswer(Message):
    """A gateway process's answer to a `TicketQuestion`."""

    awaited: bool

    def __post_init__(self) -> None:
        require(isinstance(self.awaited, bool), "awaited must be true or false")
