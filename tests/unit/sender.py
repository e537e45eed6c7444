"""The dispatcher's sender driven by hand, between a publisher and replies that only pretend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from kombu import Queue
from numpy.typing import NDArray

from inference.dispatch import dispatcher as dispatch
from inference.dispatch.answer_future import AnswerFuture
from inference.dispatch.dispatcher import Dispatcher
from inference.dispatch.flight_limit import BATCHES_A_WORKER
from tests.unit.samples import NN_ID, VERSION, PretendedReplies, asking, reply_to
from workers.messages.protocol import PREDICT_QUEUE, SUPPLY_QUEUE, PredictBatch, VersionRef

SECONDS = 60.0
REQUESTS_MAX = 20
#: Batches of one kind that a sender of these tests has on their way.
IN_FLIGHT = 4


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

    def count_consumers(self, queue: Queue) -> int:
        return self.consumers[queue.name]

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
        pass

    def close(self) -> None:
        pass


class Sender:
    """A dispatcher between a publisher and replies that are not real, and the versions it finds active."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.replies = PretendedReplies()
        self.publisher = PretendedPublisher()
        monkeypatch.setattr(dispatch, "Publisher", lambda: self.publisher)
        monkeypatch.setattr(dispatch, "SWEEP_SECONDS", 0.0)
        monkeypatch.setattr(dispatch, "PAUSE_SECONDS", 0.0)
        self.version_to_use: Callable[[str | None, int | None], VersionRef] = lambda *_: VERSION
        self.dispatcher = Dispatcher(self.replies, lambda *asked: self.version_to_use(*asked), REQUESTS_MAX)  # type: ignore[arg-type]
        self.dispatcher._limit.follow()

    def submit(self, first: float = 0.5, nn_id: str | None = NN_ID, version: int | None = None) -> AnswerFuture:
        return self.dispatcher.submit(asking([first, 0.0], nn_id=nn_id, version=version), SECONDS)

    def step(self) -> None:
        """What the sender does once around."""
        requests = self.dispatcher._next_batch()
        if requests:
            self.dispatcher._send(requests)

    def steps(self, count: int = 2 * REQUESTS_MAX) -> None:
        for _ in range(count):
            self.step()

    def answer(self, index: int, message: Any = None) -> None:
        """A worker answers the batch that was sent as number `index`."""
        batch_id, batch, *_ = self.publisher.sent[index]
        self.replies.deliver(batch_id, reply_to(batch.inputs) if message is None else message)


def first_numbers(*futures: AnswerFuture) -> list[float]:
    return [float(only_output(future)[0, 0]) for future in futures]


def only_output(future: AnswerFuture) -> NDArray[Any]:
    (output,) = future.result(timeout=0).outputs.values()
    return output
