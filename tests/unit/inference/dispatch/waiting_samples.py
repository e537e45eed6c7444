"""Requests that wait for their answer, and that no loop looks after."""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Callable

from inference.dispatch.predict_input import PredictInput
from inference.dispatch.waiting import Waiting, nobody_knows

#: A future belongs to a loop, which has nothing to do before somebody waits for it.
_no_loop = asyncio.new_event_loop()
_no_loop.close()


def waiting(
    asked: PredictInput,
    arrived: float = 0.0,
    deadline: float = 1.0,
    client_has_ended: Callable[[], bool] = nobody_knows,
    alone: bool = False,
) -> Waiting:
    return Waiting(asked, arrived, deadline, Future(loop=_no_loop), client_has_ended, alone)
