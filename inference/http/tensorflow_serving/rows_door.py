"""POST /v1/models/M:predict, on the event loop."""

from __future__ import annotations

from collections.abc import Sequence

from inference.dispatch.answer import Answer
from inference.dispatch.predict_input import PredictInput
from inference.http.bodies.json_format import read_json
from inference.http.bodies.large_json import read_large_json
from inference.http.error_texts import error_answer
from inference.http.inference_door import InferenceDoor
from inference.http.loop_request import LoopAnswer, LoopRequest
from inference.http.tensorflow_serving.predict_rows import DOOR, RowsRequest, read_rows_request, write_rows_answer


class RowsDoor(InferenceDoor[RowsRequest]):
    """Rows in, predictions out."""

    name = DOOR
    endpoint = "/v1/models/<name>:predict"

    def read(
        self, asks: LoopRequest, named: Sequence[str | None], content: bytes, large: bool
    ) -> tuple[PredictInput, RowsRequest]:
        """JSON with `instances` or `inputs`."""
        network, number, label = named
        version = int(number) if number else label
        request = read_rows_request(read_large_json(content) if large else read_json(content), str(network), version)
        return request.asked, request

    def write(self, asked: RowsRequest, answer: Answer) -> LoopAnswer:
        """In the form that it was asked in."""
        return write_rows_answer(asked, answer)

    def refuse(self, error: BaseException, asks: LoopRequest) -> LoopAnswer:
        """As the protocol says errors."""
        return error_answer(error, asks)
