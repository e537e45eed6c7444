"""Whatever comes between a request and its answer, it ends once: with its own rows, or with what happened to it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.dispatch.answer_future import AnswerFuture
from inference.dispatch.dispatcher import Dispatcher
from inference.errors import BrokerUnavailableError, BusyError, PredictionFailedError
from tests.unit.samples import NN_ID, OTHER_NN_ID, asking, reply_to
from tests.unit.sender import REQUESTS_MAX, SECONDS, Sender, only_output

#: What may happen next: its name, and a number that says to which request or batch, or how many rows.
EVENTS = st.tuples(
    st.sampled_from([
        "submit", "submit", "submit to another", "send", "send", "answer", "answer", "fail", "one number fails all",
        "answer nonsense", "answer again", "give up", "lose the broker", "refuse to send",
    ]),
    st.integers(0, 50),
)  # fmt: skip

FAILURES: dict[str, Any] = {
    "fail": {"status": "FAILURE", "traceback": "the worker failed"},
    "one number fails all": {"status": "FAILURE", "result": {"exc_type": "NumbersError"}, "traceback": "numbers"},
    "answer nonsense": {"status": "SUCCESS", "result": {"outputs": {}}},
}


class History:
    """A dispatcher, the requests that it was given, and the answers that its batches are still to get."""

    def __init__(self, sender: Sender) -> None:
        self.sender = sender
        self.numbers = iter(range(10_000))
        self.requests: list[tuple[AnswerFuture, list[float]]] = []
        self.given_up: set[int] = set()
        self.open: list[int] = []
        self.may_fail = False
        self.outcomes: dict[int, Any] = {}

    def submit(self, nn_id: str, rows: int) -> None:
        firsts = [float(next(self.numbers)) for _ in range(rows)]
        try:
            asked = asking(*([first, 0.0] for first in firsts), nn_id=nn_id)
            self.requests.append((self.sender.dispatcher.submit(asked, SECONDS), firsts))
        except BusyError:
            assert sum(not future.done() for future, _ in self.requests) >= REQUESTS_MAX

    def send(self) -> None:
        sent = len(self.sender.publisher.sent)
        self.sender.step()
        self.open += range(sent, len(self.sender.publisher.sent))

    def reply(self, which: int, message: Any = None) -> None:
        """A worker answers one of the batches that have no answer yet, in whatever order."""
        if self.open:
            self.sender.answer(self.open.pop(which % len(self.open)), message)

    def happen(self, event: str, number: int) -> None:
        match event:
            case "submit" | "submit to another":
                self.submit(NN_ID if event == "submit" else OTHER_NN_ID, 1 + number % 3)
            case "send":
                self.send()
            case "answer":
                self.reply(number)
            case "fail" | "one number fails all" | "answer nonsense":
                self.may_fail = True
                self.reply(number, FAILURES[event])
            case "answer again" if self.sender.publisher.sent:
                self.answer_again(number % len(self.sender.publisher.sent))
            case "give up" if self.requests:
                self.given_up.add(number % len(self.requests))
                self.requests[number % len(self.requests)][0].cancel()
            case "lose the broker":
                self.sender.replies.reconnect()
            case "refuse to send":
                self.sender.publisher.failures = [BrokerUnavailableError("away")]
        self.remember()

    def answer_again(self, index: int) -> None:
        """The broker had given a batch to two workers: the right answer, once more."""
        batch_id, batch, *_ = self.sender.publisher.sent[index]
        self.sender.replies.deliver(batch_id, reply_to(batch.inputs))

    def remember(self) -> None:
        """An outcome that was there is there still, and is the same."""
        for index, (future, _) in enumerate(self.requests):
            assert index not in self.outcomes or future._outcome is self.outcomes[index]
            if future._outcome is not None:
                self.outcomes[index] = future._outcome

    def end(self) -> None:
        """Everything goes well from now on."""
        self.sender.publisher.failures = []
        for _ in range(4 * REQUESTS_MAX):
            self.send()
            self.reply(0)
            self.remember()


@given(events=st.lists(EVENTS, max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
def test_whatever_happens_every_request_ends_once_with_its_own_rows(
    events: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patches:
        history = History(Sender(patches))
        for event, number in events:
            history.happen(event, number)
        history.end()

    dispatcher: Dispatcher = history.sender.dispatcher
    assert (dispatcher.admission.held, len(dispatcher._coalescer), dispatcher._in_flight.ids()) == (0, 0, [])
    assert history.sender.replies.receivers == {}
    for index, (future, firsts) in enumerate(history.requests):
        assert future.done()
        if isinstance(future._outcome, PredictionFailedError):
            assert history.may_fail
        elif future._outcome is not None:
            assert only_output(future)[:, 0].tolist() == firsts
        else:
            assert index in history.given_up
