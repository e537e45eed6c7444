"""The floor's application: the gateway's, but what a process holds predicts nothing and dispatches nothing."""

from __future__ import annotations

import os
from asyncio import AbstractEventLoop
from collections.abc import Callable

import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway_site.settings")

from gateway_site.asgi import application  # sets Django up
from inference import gateway
from inference.dispatch.answer import Answer
from inference.dispatch.predict_input import PredictInput
from inference.dispatch.waiting import nobody_knows
from workers.messages.protocol import VersionRef

__all__ = ["application"]


class Constant:
    """Stands in for `Predictions`: every request has the same answer, at once."""

    def __init__(self) -> None:
        version = VersionRef("f1004" * 6 + "00", 1, "0" * 64, "0" * 64)
        self._answer = Answer(version, {"sum": np.ones((1, 1), np.float32)}, 0, 1, "nobody@nowhere", 1, 0.0, 0.0)

    def refuse_when_full(self, door: str) -> None:
        """Never."""

    async def predict(self, asked: PredictInput, client_has_ended: Callable[[], bool] = nobody_knows) -> Answer:
        """One."""
        return self._answer


class Floor(gateway.Gateway):
    """A gateway without its threads and connections, but for those that count requests."""

    def __init__(self) -> None:
        super().__init__()
        self.predictions = Constant()  # type: ignore[assignment]

    def start(self, loop: AbstractEventLoop) -> None:
        """Count requests."""
        self.recorder.start()

    def stop(self) -> None:
        """End."""
        self.recorder.stop()


gateway.Gateway = Floor  # type: ignore[misc]  # that which `start_gateway` makes
