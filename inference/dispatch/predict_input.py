"""What is asked of a network: rows, by which network and version."""

from __future__ import annotations

from dataclasses import dataclass, field

from inference.errors import BadInputError, TooLargeError
from workers.messages.message import ProtocolError
from workers.messages.request_id import REQUEST_ID
from workers.messages.tensors import TENSORS_BYTES_MAX, Tensors, count_rows

#: POST /predict, as timings and metrics have it.
PREDICT_DOOR = "predict"
#: In order of the names.
Kinds = tuple[tuple[str, str, tuple[int, ...]], ...]


@dataclass  # not frozen: that costs a microsecond more for each request
class PredictInput:
    """The rows to predict by input; `single` when they came as one `vector`.

    `network` is an id or a name, `version` a number or a label; without them the default network's active one answers.
    `door` is what it came by.
    """

    inputs: Tensors
    single: bool
    network: str | None = None
    version: int | str | None = None
    door: str = PREDICT_DOOR
    request_id: str = field(default_factory=REQUEST_ID.get, compare=False)
    #: How long its client waits, when that says so.
    seconds: float | None = None
    #: Whether the answer is said in JSON, which has no NaN and no infinity.
    in_json: bool = True
    #: How many rows are to be predicted, how many bytes their numbers take, and each input's name, dtype and row shape.
    rows_count: int = field(init=False, compare=False)
    size_bytes: int = field(init=False, compare=False)
    kinds: Kinds = field(init=False, compare=False)

    def __post_init__(self) -> None:
        rows = size = 0
        kinds = []
        for name, tensor in self.inputs.items():
            rows = tensor.shape[0]
            size += len(tensor.data)
            kinds.append((name, tensor.dtype, tensor.shape[1:]))
        kinds.sort()
        self.rows_count, self.size_bytes, self.kinds = rows, size, tuple(kinds)


def require_rows(inputs: Tensors, what: str) -> None:
    """Refuse inputs that do not belong together; `what` is what their client calls them.

    Raises:
        BadInputError: they have no rows, or not the same number of them.
    """
    try:
        count_rows(inputs)
    except ProtocolError as error:
        raise BadInputError(f"{what}: {error}") from error


def bounded(asked: PredictInput, what: str) -> PredictInput:
    """What is asked for, if one message to a worker holds it.

    Raises:
        TooLargeError: it does not.
    """
    if asked.size_bytes > TENSORS_BYTES_MAX:
        raise TooLargeError(
            f"{what} has {asked.size_bytes} bytes of numbers and texts; {TENSORS_BYTES_MAX} may be sent at once"
        )
    return asked
