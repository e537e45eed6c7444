"""Whatever comes between a request and its answer, it ends once: with its own rows, or with what happened to it."""

from __future__ import annotations

from asyncio import Task
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.dispatch.answer import Answer
from inference.errors import BrokerBlockedError, BrokerUnavailableError, BusyError, PredictionFailedError
from tests.unit.samples import NN_ID, OTHER_NN_ID, VERSION, asking, reply_to
from tests.unit.sender import REQUESTS_MAX, Sender, only_output
from workers.messages.protocol import VersionRef

#: What may happen next: its name, and a number that says to which request or batch, how many rows, or how many turns.
#: The threads go on in any order: "turn" is the loop's, "send" the sender's, "answer" that of the replies.
EVENTS = st.tuples(
    st.sampled_from([
        "turn", "turn", "submit", "submit", "submit", "submit to another", "send", "send", "answer", "answer", "fail",
        "one number fails all", "answer nonsense", "answer again", "give up", "lose the broker",
        "lose the broker while a batch is about to be sent", "answer before the sender knows that it has sent",
        "lose the connection that sends", "refuse to send", "refuse what was sent", "raise the alarm", "sweep",
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
        self.requests: list[tuple[Task[Answer], list[float]]] = []
        self.given_up: set[int] = set()
        self.open: list[int] = []
        #: What a request may have ended with, by what has happened.
        self.may_raise: set[type[Exception]] = set()
        self.outcomes: dict[int, Any] = {}

    def submit(self, nn_id: str, rows: int) -> None:
        firsts = [float(next(self.numbers)) for _ in range(rows)]
        held = sum(not request.done() for request, _ in self.requests)
        request = self.sender.ask(asking(*([first, 0.0] for first in firsts), nn_id=nn_id))
        self.sender.turn(1)
        if request.done():
            assert isinstance(request.exception(), BusyError)
            assert held >= REQUESTS_MAX
        else:
            self.requests.append((request, firsts))

    def send(self) -> None:
        sent = len(self.sender.publisher.sent)
        self.sender.send_next()
        self.open += range(sent, len(self.sender.publisher.sent))

    def reply(self, which: int, message: Any = None) -> None:
        """A worker answers one of the batches that have no answer yet, in whatever order."""
        if self.open:
            self.sender.deliver(self.open.pop(which % len(self.open)), message)

    def happen(self, event: str, number: int) -> None:
        for happens in (self.requests_come_and_go, self.threads_go_on, self.batches_fail, self.the_broker_fails):
            happens(event, number)
        self.remember()

    def requests_come_and_go(self, event: str, number: int) -> None:
        match event:
            case "submit":
                self.submit(NN_ID, 1 + number % 3)
            case "submit to another":
                self.submit(OTHER_NN_ID, 1 + number % 3)
            case "give up" if self.requests:
                self.given_up.add(number % len(self.requests))
                self.requests[number % len(self.requests)][0].cancel()

    def threads_go_on(self, event: str, number: int) -> None:
        match event:
            case "turn":
                self.sender.turn(1 + number % 4)
            case "sweep":
                self.sender.loop.call_soon(self.sender.dispatcher._sweep)
            case "send":
                self.send()
            case "answer":
                self.reply(number)
            case "answer again" if self.sender.publisher.sent:
                self.answer_again(number % len(self.sender.publisher.sent))
            case "answer before the sender knows that it has sent":
                self.sender.publisher.on_send = lambda: self.sender.deliver(-1)
                self.send()
                self.sender.publisher.on_send = lambda: None

    def batches_fail(self, event: str, number: int) -> None:
        publisher = self.sender.publisher
        match event:
            case "fail" | "one number fails all" | "answer nonsense":
                self.may_raise.add(PredictionFailedError)
                self.reply(number, FAILURES[event])
            case "refuse to send":
                publisher.failures = [BrokerUnavailableError("away")]
            case "refuse what was sent" if publisher.sent:
                self.may_raise.add(BusyError)
                publisher.refused = [publisher.sent[number % len(publisher.sent)][0]]
            case "lose the connection that sends" if publisher.sent:
                publisher.lost = [publisher.sent[number % len(publisher.sent)][0]]

    def the_broker_fails(self, event: str, number: int) -> None:
        match event:
            case "lose the broker":
                self.sender.replies.reconnect()
            case "lose the broker while a batch is about to be sent":
                self.send_while(number % 4, self.sender.replies.reconnect)
            case "raise the alarm":
                self.may_raise.add(BrokerBlockedError)
                self.sender.replies.alarm.sound()
                self.sender.turn(1 + number % 4)
                self.sender.replies.alarm.end()

    def send_while(self, turns: int, act: Callable[[], None]) -> None:
        """The sender sends, and before it has: `act`, and turns of the loop."""

        def version_to_use(*_: Any) -> VersionRef:
            self.sender.version_to_use = lambda *_: VERSION
            act()
            if turns:
                self.sender.turn(turns)
            return VERSION

        self.sender.version_to_use = version_to_use
        self.send()
        self.sender.version_to_use = lambda *_: VERSION

    def answer_again(self, index: int) -> None:
        """The broker had given a batch to two workers: the right answer, once more."""
        batch_id, batch, *_ = self.sender.publisher.sent[index]
        self.sender.replies.deliver(batch_id, reply_to(batch.inputs))

    def remember(self) -> None:
        """An outcome that was there is there still, and is the same; to what is not in flight no answer is expected."""
        assert set(self.sender.replies.receivers) <= set(self.sender.dispatcher._in_flight.ids())
        for index, (request, _) in enumerate(self.requests):
            outcome = outcome_of(request)
            assert index not in self.outcomes or outcome is self.outcomes[index]
            if outcome is not None:
                self.outcomes[index] = outcome

    def end(self) -> None:
        """Everything goes well from now on."""
        self.sender.publisher.failures = []
        for _ in range(4 * REQUESTS_MAX):
            self.sender.sweep()
            self.send()
            self.reply(0)
            self.remember()
        self.sender.turn()


def outcome_of(request: Task[Answer]) -> Any:
    if not request.done() or request.cancelled():
        return None
    return request.exception() or request.result()


@given(events=st.lists(EVENTS, max_size=5) | st.lists(EVENTS, min_size=20, max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
def test_whatever_happens_every_request_ends_once_with_its_own_rows(
    events: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patches, closing(Sender(patches)) as sender:
        history = History(sender)
        for event, number in events:
            history.happen(event, number)
        history.end()

        dispatcher = sender.dispatcher
        assert (dispatcher.admission.held, len(dispatcher._coalescer), dispatcher._in_flight.ids()) == (0, 0, [])
        assert (len(dispatcher._arriving), sender.outbox.qsize()) == (0, 0)
        assert sender.replies.receivers == {}
        for index, (request, firsts) in enumerate(history.requests):
            assert request.done()
            outcome = outcome_of(request)
            if isinstance(outcome, Answer):
                assert only_output(request)[:, 0].tolist() == firsts
            elif outcome is not None:
                assert type(outcome) in history.may_raise
            else:
                assert index in history.given_up
