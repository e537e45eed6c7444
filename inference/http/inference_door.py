"""What every protocol's request for a prediction passes, on the event loop; each protocol reads and writes its own.

A request is refused as early as can be, and unread. There is no second copy of this over HTTP: a protocol is a
subclass, which reads a body and writes an answer. gRPC's and AMQP's doors share `admit` and `predict` with it.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

from django.conf import settings

from inference.dispatch.answer import Answer
from inference.dispatch.predict_input import PredictInput
from inference.dispatch.predictions import Predictions
from inference.http.admit import admit
from inference.http.bodies.request_body import SMALL_BYTES
from inference.http.hosts import refuse_other_host
from inference.http.large_bodies import LargeBodies
from inference.http.loop_request import LoopAnswer, LoopRequest
from inference.http.origin import SAID_BY_PAGES, refuse_foreign_page
from inference.http.responses import answer_to

#: What was read of a request, beside what is to be predicted.
Asked = TypeVar("Asked")


class InferenceDoor(ABC, Generic[Asked]):
    """What the settings say is read once: a look at them costs a microsecond."""

    #: What timings call it, and metrics its address.
    name: str
    endpoint: str

    def __init__(self, large_bodies: LargeBodies) -> None:
        """`large_bodies` is the process's room for these."""
        self._large_bodies = large_bodies
        self._limit: int = settings.PIPELINE_MAX_BODY_BYTES
        self._any_host = "*" in settings.ALLOWED_HOSTS

    @abstractmethod
    def read(
        self, asks: LoopRequest, named: Sequence[str | None], content: bytes, large: bool
    ) -> tuple[PredictInput, Asked]:
        """What is to be predicted, and what else a body asks for; `named` is what its address names. A `large` one is
        read in a thread.

        Raises:
            InferenceError: it cannot be read.
        """

    @abstractmethod
    def write(self, asked: Asked, answer: Answer) -> LoopAnswer:
        """The answer as the protocol has it."""

    def refuse(self, error: BaseException, asks: LoopRequest) -> LoopAnswer:
        """The answer to an error."""
        return answer_to(error, asks)

    async def __call__(self, asks: LoopRequest, named: Sequence[str | None] = ()) -> LoopAnswer:
        """Predict.

        Raises:
            InferenceError: it has no answer.
        """
        if not self._any_host:
            refuse_other_host(asks)
        if SAID_BY_PAGES & asks.headers.keys():
            refuse_foreign_page(asks)
        predictions = admit(asks, self.name)
        body = asks.body
        body.refuse_larger(self._limit)
        size = body.size
        began = b""
        if size is None or size <= SMALL_BYTES:
            began = await body.read_at_most(SMALL_BYTES)
            if body.ended:
                return await self._answer(asks, predictions, *self.read(asks, named, began, large=False))
        async with self._large_bodies.room(size or self._limit, asks):
            content = began + await body.read()
            read = await self._large_bodies.parse(lambda: self.read(asks, named, content, large=True))
            return await self._answer(asks, predictions, *read)

    async def _answer(
        self, asks: LoopRequest, predictions: Predictions, inputs: PredictInput, asked: Asked
    ) -> LoopAnswer:
        answer = await predictions.predict(inputs, asks.exchange.client_has_ended)
        if answer.size_bytes <= SMALL_BYTES:
            return self.write(asked, answer)
        return await asyncio.to_thread(self.write, asked, answer)
