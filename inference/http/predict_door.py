"""POST /predict, on the event loop: one row or a batch of rows, by the default network or the one named."""

from __future__ import annotations

import asyncio

import orjson
from django.conf import settings

from inference.access.rights import PREDICT
from inference.dispatch.answer import Answer
from inference.dispatch.predict_input import PredictInput
from inference.errors import BUSY_MESSAGE, BusyError
from inference.gateway import gateway
from inference.http.bodies.json_format import read_json
from inference.http.bodies.predict_body import read_predict_input
from inference.http.bodies.request_body import SMALL_BYTES
from inference.http.hosts import refuse_other_host
from inference.http.large_bodies import LargeBodies
from inference.http.loop_request import LoopAnswer, LoopRequest
from inference.http.origin import refuse_foreign_page
from inference.http.permission import require_right
from inference.http.throttle import throttle

_large_bodies = LargeBodies()


async def predict(asks: LoopRequest) -> LoopAnswer:
    """Predict; refused as early as can be, and unread.

    Raises:
        InferenceError: it has no answer.
    """
    predictions = gateway().predictions
    if predictions.refuse_when_full():
        raise BusyError(BUSY_MESSAGE)
    refuse_other_host(asks)
    refuse_foreign_page(asks)
    require_right(asks, PREDICT)
    throttle(asks, PREDICT)
    limit: int = settings.PIPELINE_MAX_BODY_BYTES
    asks.body.refuse_larger(limit)
    size = asks.body.size
    began = b""
    if size is None or size <= SMALL_BYTES:
        began = await asks.body.read_at_most(SMALL_BYTES)
        if asks.body.ended:
            return await _answer(asks, read_predict_input(read_json(began)))
    async with _large_bodies.room(size or limit, asks):
        content = began + await asks.body.read()
        asked = await _large_bodies.parse(lambda: read_predict_input(read_json(content)))
        return await _answer(asks, asked)


async def _answer(asks: LoopRequest, asked: PredictInput) -> LoopAnswer:
    answer = await gateway().predictions.predict(asked, asks.client_has_ended)
    if sum(output.nbytes for output in answer.outputs.values()) <= SMALL_BYTES:
        return _written(answer, asked.single)
    return await asyncio.to_thread(_written, answer, asked.single)


def _written(answer: Answer, single: bool) -> LoopAnswer:
    made_by = answer.version
    told = {"status": True, "message": made_by.nn_id, "result": answer.result(single), "version": made_by.number}
    return LoopAnswer(orjson.dumps(told, option=orjson.OPT_SERIALIZE_NUMPY))
