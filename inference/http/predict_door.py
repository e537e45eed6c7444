"""POST /predict, on the event loop: one row or a batch of rows, by the default network or the one named."""

from __future__ import annotations

import asyncio

import orjson
from django.conf import settings

from inference.access.rights import PREDICT
from inference.dispatch.answer import Answer
from inference.dispatch.predict_input import PredictInput
from inference.dispatch.predictions import Predictions
from inference.errors import BUSY_MESSAGE, BusyError
from inference.gateway import gateway
from inference.http.bodies.json_format import read_json
from inference.http.bodies.large_json import read_large_json
from inference.http.bodies.predict_body import read_predict_input
from inference.http.bodies.request_body import SMALL_BYTES
from inference.http.hosts import refuse_other_host
from inference.http.large_bodies import LargeBodies
from inference.http.loop_request import LoopAnswer, LoopRequest
from inference.http.origin import SAID_BY_PAGES, refuse_foreign_page
from inference.http.permission import require_right
from inference.http.throttle import throttle


class PredictDoor:
    """Owns the room for large bodies. What the settings say is read once: a look at them costs a microsecond."""

    def __init__(self) -> None:
        self.large_bodies = LargeBodies()
        self._limit: int = settings.PIPELINE_MAX_BODY_BYTES
        self._any_host = "*" in settings.ALLOWED_HOSTS

    async def __call__(self, asks: LoopRequest) -> LoopAnswer:
        """Predict; refused as early as can be, and unread.

        Raises:
            InferenceError: it has no answer.
        """
        predictions = gateway().predictions
        if predictions.refuse_when_full():
            raise BusyError(BUSY_MESSAGE)
        if not self._any_host:
            refuse_other_host(asks)
        if SAID_BY_PAGES & asks.headers.keys():
            refuse_foreign_page(asks)
        require_right(asks, PREDICT)
        throttle(asks, PREDICT)
        body = asks.body
        body.refuse_larger(self._limit)
        size = body.size
        began = b""
        if size is None or size <= SMALL_BYTES:
            began = await body.read_at_most(SMALL_BYTES)
            if body.ended:
                return await _answer(asks, read_predict_input(read_json(began)), predictions)
        async with self.large_bodies.room(size or self._limit, asks):
            content = began + await body.read()
            asked = await self.large_bodies.parse(lambda: read_predict_input(read_large_json(content)))
            return await _answer(asks, asked, predictions)


async def _answer(asks: LoopRequest, asked: PredictInput, predictions: Predictions) -> LoopAnswer:
    answer = await predictions.predict(asked, asks.exchange.client_has_ended)
    if answer.size_bytes <= SMALL_BYTES:
        return _written(answer, asked.single)
    return await asyncio.to_thread(_written, answer, asked.single)


def _written(answer: Answer, single: bool) -> LoopAnswer:
    made_by = answer.version
    told = {"status": True, "message": made_by.nn_id, "result": answer.result(single), "version": made_by.number}
    return LoopAnswer(orjson.dumps(told, option=orjson.OPT_SERIALIZE_NUMPY))
