"""The dispatcher's loop and its sender driven by hand, between a publisher and replies that only pretend."""

from __future__ import annotations

import asyncio
from asyncio import Task
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

import pytest
from kombu import Queue
from numpy.typing import NDArray

from inference.dispatch import dispatcher as dispatch
from inference.dispatch import sender as sending
from inference.dispatch.answer import Answer
from inference.dispatch.batch import Batch
from inference.dispatch.dispatcher import TURNS, Dispatcher
from inference.dispatch.flight_limit import BATCHES_A_WORKER
from inference.dispatch.predict_input import PredictInput
from inference.dispatch.waiting import nobody_knows
from tests.unit.pretended_gateway import PretendedReplies
from tests.unit.samples import NN_ID, VERSION, asking, reply_to
from workers.messages.protocol import PREDICT_QUEUE, SUPPLY_QUEUE, PredictBatch, VersionRef

SECONDS = 60.0
REQUESTS_MAX = 20
#: Batches of one kind that a sender of these tests has on their way.
IN_FLIGHT = 4
#: Turns of the loop after which it has nothing left to do: a request is let in, or an outcome reaches who waits for it.
ALL_TURNS = TURNS + 4
SOON_SECONDS = 5.0


class PretendedPublisher:
    """Notes what is sent; fails as often as it is told to."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, PredictBatch, str, float]] = []
        self.failures: list[Exception] = []
        self.on_send: Callable[[], None] = lambda: None
        self.refused: list[str] = []
        self.lost: list[str] = []
        self.awaits_confirms = False
        self.consumers = {PREDICT_QUEUE: IN_FLIGHT // BATCHES_A_WORKER, SUPPLY_QUEUE: 1}
        #: How many messages wait in the broker.
        self.waiting = 1
        self.renewed = 0
        self.closed = False

    def count_consumers(self, queue: Queue) -> int:
        return self.consumers[queue.name]

    def count_waiting(self, queue: Queue) -> int:
        return self.waiting

    def send_batch(self, batch_id: str, batch: PredictBatch, reply_to: str, seconds_left: float) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append((batch_id, batch, reply_to, seconds_left))
        self.on_send()

    def read_confirms(self) -> None:
        self.awaits_confirms = False

    def take_refused(self) -> list[str]:
        refused, self.refused = self.refused, []
        return refused

    def take_lost(self) -> list[str]:
        lost, self.lost = self.lost, []
        return lost

    def renew(self) -> None:
        self.renewed += 1

    def close(self) -> None:
        self.closed = True


class Outbox(SimpleQueue[Batch | None]):
    """Notes how long it would be waited for; is only waited for by a thread."""

    def __init__(self) -> None:
        self.waits: list[float | None] = []
        self.is_of_a_thread = False

    def get(self, block: bool = True, timeout: float | None = None) -> Batch | None:
        self.waits.append(timeout)
        return super().get(self.is_of_a_thread, timeout)


class Sender:
    """A dispatcher in a loop that turns when it is told to, and the versions it finds active; to be closed.

    Its publisher and replies are not real, and its thread does not run but where a test says so.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.replies = PretendedReplies()
        self.publisher = PretendedPublisher()
        monkeypatch.setattr(sending, "Publisher", lambda: self.publisher)
        for module in (dispatch, sending):
            monkeypatch.setattr(module, "PAUSE_SECONDS", 0.0)
        self.version_to_use: Callable[[str | None, int | None], VersionRef] = lambda *_: VERSION
        self.dispatcher = Dispatcher(self.replies, lambda *asked: self.version_to_use(*asked), REQUESTS_MAX)  # type: ignore[arg-type]
        self.outbox = self.dispatcher._sender._outbox = Outbox()
        self.dispatcher._sender.limit.follow()
        self.loop = asyncio.new_event_loop()
        self.dispatcher._loop = self.loop
        #: What was raised in the loop, where nobody catches it.
        self.defects: list[dict[str, Any]] = []
        self.loop.set_exception_handler(self._note_defect)

    def _note_defect(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if "handle" in context:  # else it is a request whose outcome a test does not ask for
            self.defects.append(context)

    def close(self) -> None:
        """End the loop, in which nothing may have gone wrong unseen."""
        if not self.loop.is_closed():
            for task in asyncio.all_tasks(self.loop):
                task.cancel()
            self.turn()
            self.loop.close()
        assert self.defects == []

    def ask(
        self, asked: PredictInput, seconds: float = SECONDS, client_has_ended: Callable[[], bool] = nobody_knows
    ) -> Task[Answer]:
        """A request that begins with the loop's next turn."""
        return self.loop.create_task(self.dispatcher.predict(asked, seconds, client_has_ended))

    def submit(self, first: float = 0.5, nn_id: str | None = NN_ID, version: int | None = None) -> Task[Answer]:
        return self.ask(asking([first, 0.0], nn_id=nn_id, version=version))

    def turn(self, turns: int = ALL_TURNS) -> None:
        """The loop turns so often: each time it does what was there when it began."""

        def again(left: int) -> None:
            if left > 1:
                self.loop.call_soon(again, left - 1)
            else:
                self.loop.stop()

        self.loop.call_soon(again, turns)
        self.loop.run_forever()

    def send_next(self) -> None:
        """What the sender's thread does once around; the loop has not heard of it."""
        self.dispatcher._sender._send_next()

    def sweep(self) -> None:
        """What the loop does now and then, and what comes of it."""
        self.loop.call_soon(self.dispatcher._sweep)
        self.turn()

    def step(self) -> None:
        """What all of them do once around: at most one batch is sent."""
        self.sweep()
        self.send_next()
        self.turn()

    def steps(self, count: int = 2 * REQUESTS_MAX) -> None:
        for _ in range(count):
            self.step()

    def deliver(self, index: int, message: Any = None) -> None:
        """A worker answers the batch that was sent as number `index`; the loop has not heard of it."""
        batch_id, batch, *_ = self.publisher.sent[index]
        self.replies.deliver(batch_id, reply_to(batch.inputs) if message is None else message)

    def answer(self, index: int, message: Any = None) -> None:
        """A worker answers the batch that was sent as number `index`."""
        self.deliver(index, message)
        self.turn()

    def give_up(self, request: Task[Answer]) -> None:
        """Nobody waits for a request any more."""
        request.cancel()
        self.turn()

    @contextmanager
    def running(self) -> Iterator[None]:
        """With its thread; the loop turns while something is waited for in it."""
        self.outbox.is_of_a_thread = True
        self.dispatcher.start(self.loop)
        try:
            yield
        finally:
            self.dispatcher.stop()

    def wait(self, *requests: Task[Answer]) -> None:
        """Until they have ended."""
        _, missing = self.loop.run_until_complete(asyncio.wait(requests, timeout=SOON_SECONDS))
        assert not missing


def first_numbers(*requests: Task[Answer]) -> list[float]:
    return [float(only_output(request)[0, 0]) for request in requests]


def only_output(request: Task[Answer]) -> NDArray[Any]:
    (output,) = request.result().outputs.values()
    return output
