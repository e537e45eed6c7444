"""POST /predict, on the event loop: one row or a batch of rows, by the default network or the one named."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from inference.dispatch.answer import Answer
from inference.dispatch.predict_input import PREDICT_DOOR, PredictInput
from inference.http.bodies.json_format import read_json
from inference.http.bodies.large_json import read_large_json
from inference.http.bodies.predict_body import read_predict_input
from inference.http.inference_door import InferenceDoor
from inference.http.loop_request import LoopAnswer, LoopRequest


class PredictDoor(InferenceDoor[bool]):
    """Pipeline's own, which is the seed system's."""

    name = PREDICT_DOOR
    endpoint = "/predict"

    def read(
        self, asks: LoopRequest, named: Sequence[str | None], content: bytes, large: bool
    ) -> tuple[PredictInput, bool]:
        """JSON with `vector` or `data`; and whether it is one row."""
        inputs = read_predict_input(read_large_json(content) if large else read_json(content))
        return inputs, inputs.single

    def write(self, asked: bool, answer: Answer) -> LoopAnswer:
        """JSON with `result`, of one row when that was asked."""
        result, made_by = answer.result(asked), answer.version
        told = {"status": True, "message": made_by.nn_id, "result": result, "version": made_by.number}
        return LoopAnswer(orjson.dumps(told, option=orjson.OPT_SERIALIZE_NUMPY))
