"""POST /v2/models/M/infer, on the event loop."""

from __future__ import annotations

from collections.abc import Sequence

from inference.dispatch.answer import Answer
from inference.dispatch.predict_input import PredictInput
from inference.errors import BadInputError
from inference.http.error_texts import error_answer
from inference.http.inference_door import InferenceDoor
from inference.http.loop_request import LoopAnswer, LoopRequest
from inference.http.open_inference.infer_answer import HEAD_SIZE, write_infer_answer
from inference.http.open_inference.infer_body import DOOR, InferRequest, read_infer_request

_HEAD_SIZE = HEAD_SIZE.lower().encode()
_DIGITS_MAX = 12


class InferDoor(InferenceDoor[InferRequest]):
    """Answers with JSON, or with JSON and bytes."""

    name = DOOR
    endpoint = "/v2/models/<name>/infer"

    def read(
        self, asks: LoopRequest, named: Sequence[str | None], content: bytes, large: bool
    ) -> tuple[PredictInput, InferRequest]:
        """JSON, perhaps with tensors' bytes behind it."""
        network, version = named
        size = asks.headers.get(_HEAD_SIZE)
        if size is not None and (not size.isdigit() or len(size) > _DIGITS_MAX or int(size) > len(content)):
            raise BadInputError(f"{HEAD_SIZE} must be the number of bytes of the JSON, before any compression")
        request = read_infer_request(
            content, int(size) if size else None, str(network), int(version) if version else None
        )
        request.accepts = asks.headers.get(b"accept-encoding", b"")
        return request.asked, request

    def write(self, asked: InferRequest, answer: Answer) -> LoopAnswer:
        """As it was asked for."""
        return write_infer_answer(asked, answer)

    def refuse(self, error: BaseException, asks: LoopRequest) -> LoopAnswer:
        """As the protocol says errors."""
        return error_answer(error, asks)
