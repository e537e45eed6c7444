"""What becomes of requests when the broker, the database or a worker fails them."""

from __future__ import annotations

import traceback
from typing import Any

import numpy as np
import pytest
from django.db import OperationalError

from inference.dispatch import dispatcher as dispatch
from inference.dispatch import sender as sending
from inference.errors import BrokerUnavailableError, BusyError, PredictionFailedError
from tests.unit.samples import OTHER_NN_ID, VERSION, only_input, reply_to
from tests.unit.sender import REQUESTS_MAX, Sender, first_numbers
from workers.broker.queues import QUEUE_BATCHES_MAX
from workers.messages.message import TRACE_CHARACTERS_MAX


@pytest.mark.parametrize("error", [BrokerUnavailableError("gone"), OperationalError("gone")])
def test_a_request_outlives_a_failure_of_broker_or_database(error: Exception, sender: Sender) -> None:
    failures = [error] * 3
    if isinstance(error, BrokerUnavailableError):
        sender.publisher.failures = failures
    else:
        sender.version_to_use = lambda *_: _raise(failures.pop()) if failures else VERSION
    requests = [sender.submit(1), sender.submit(2)]
    sender.steps()
    sender.answer(0)

    assert first_numbers(*requests) == [1.0, 2.0]


def _raise(error: Exception) -> None:
    raise error


def test_after_a_failure_the_sender_rests(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "PAUSE_SECONDS", 60.0)
    sender.publisher.failures = [BrokerUnavailableError("gone")]
    sender.submit(1)
    sender.steps()
    assert sender.publisher.sent == []

    sender.replies.reconnect()  # which ends the rest
    sender.steps()

    assert len(sender.publisher.sent) == 1


def test_while_no_reply_can_arrive_nothing_is_sent(sender: Sender) -> None:
    sender.replies.connected = False
    sender.submit()
    sender.steps()
    assert sender.publisher.sent == []

    sender.replies.connected = True
    sender.steps()
    assert len(sender.publisher.sent) == 1


def test_a_failure_carries_the_workers_trace_to_every_request(sender: Sender) -> None:
    requests = [sender.submit(1), sender.submit(2)]
    sender.step()
    trace = "Traceback (most recent call last):\n  …\nRowsError: the network takes rows of shape (3,)\n"
    sender.answer(0, {"status": "FAILURE", "result": {"exc_type": "RowsError"}, "traceback": trace, "worker": "w1"})

    for request in requests:
        error = request.exception()
        assert isinstance(error, PredictionFailedError)
        assert error.trace == trace
        assert (error.version, error.worker) == (VERSION, "w1")
        assert str(error) == "RowsError: the network takes rows of shape (3,)"


def test_a_failure_that_says_very_much_is_shortened(sender: Sender) -> None:
    request = sender.submit(1)
    sender.step()
    sender.answer(
        0, {"status": "FAILURE", "result": {}, "traceback": "Traceback\n" + "x" * 9_000_000 + "\nRowsError: no"}
    )

    error = request.exception()
    assert isinstance(error, PredictionFailedError)
    assert (error.trace[:10], str(error)) == ("Traceback\n", "RowsError: no")
    assert len(error.trace) <= TRACE_CHARACTERS_MAX


@pytest.mark.parametrize(
    "message",
    [
        "text",
        None,
        [],
        {},
        {"status": "SUCCESS"},
        {"status": "SUCCESS", "result": None},
        {"status": "SUCCESS", "result": {"worker": "w"}},
        reply_to(only_input([1.0, 0.0])),
        reply_to(only_input([1.0, 0.0], [2.0, 0.0], [3.0, 0.0])),
        {"status": "SUCCESS", "result": {**reply_to(only_input([1.0], [2.0]))["result"], "inference_ms": "soon"}},
    ],
    ids=["text", "null", "list", "empty", "no result", "null result", "no outputs", "one output", "three outputs",
         "no time"],
)  # fmt: skip
def test_an_answer_that_does_not_fit_the_batch_fails_every_request(message: Any, sender: Sender) -> None:
    requests = [sender.submit(1), sender.submit(2)]
    sender.step()
    receive = sender.replies.receivers[sender.publisher.sent[0][0]]
    receive(message)
    sender.turn()

    assert [type(request.exception()) for request in requests] == [PredictionFailedError] * 2
    assert sender.dispatcher.admission.held == 0


def test_an_unexpected_error_fails_its_requests_and_not_the_ones_after(sender: Sender) -> None:
    errors = [RuntimeError("a defect")]
    sender.version_to_use = lambda *_: _raise(errors.pop()) if errors else VERSION
    sender.publisher.on_send = lambda: sender.deliver(-1)
    with sender.running():
        failed = sender.submit(1)
        sender.wait(failed)
        answered = sender.submit(2)
        sender.wait(answered)

    error = failed.exception()
    assert isinstance(error, PredictionFailedError)
    assert error.trace == "RuntimeError: a defect"
    assert answered.result().batch_rows == 1


REFUSED = {"status": "FAILURE", "result": {"exc_type": "NumbersError"}, "traceback": "NumbersError: too large"}


@pytest.mark.parametrize("kind", ["RowsError", "WeightsError", "SupplyError", "RuntimeError"])
def test_what_fails_every_request_of_a_batch_is_not_tried_again(kind: str, sender: Sender) -> None:
    requests = [sender.submit(1), sender.submit(2)]
    sender.step()
    sender.answer(0, {"status": "FAILURE", "result": {"exc_type": kind}, "traceback": kind})
    sender.steps()

    assert [request.exception().trace for request in requests] == [kind, kind]
    assert len(sender.publisher.sent) == 1


def test_one_requests_numbers_fail_nobody_else(sender: Sender) -> None:
    """The worker refuses a batch for one of its numbers: its requests travel one by one, later ones together."""
    sender.dispatcher._sender.limit.batches = 1
    good, bad, given_up, also_good = [sender.submit(number) for number in (1, -1, 2, 3)]
    sender.step()
    sender.give_up(given_up)
    sender.answer(0, REFUSED)
    later = [sender.submit(4), sender.submit(5)]
    for index in range(1, 5):
        sender.step()
        first = np.frombuffer(sender.publisher.sent[index][1].inputs[""].data, np.float32)[0]
        sender.answer(index, REFUSED if first < 0 else None)

    assert [batch.requests for _, batch, *_ in sender.publisher.sent] == [4, 1, 2, 1, 1]
    assert first_numbers(good, also_good, *later) == [1.0, 3.0, 4.0, 5.0]
    error = bad.exception()
    assert isinstance(error, PredictionFailedError)
    assert error.trace == "NumbersError: too large"
    assert sender.dispatcher.admission.held == 0


def test_what_the_broker_refuses_fails_at_once_and_is_held_no_longer(sender: Sender) -> None:
    refused, kept = sender.submit(1), sender.submit(2, OTHER_NN_ID)
    sender.steps()
    sender.publisher.refused = [sender.publisher.sent[0][0], "a batch that was answered already"]
    sender.send_next()
    sender.answer(1)

    with pytest.raises(BusyError, match="Server is busy"):
        refused.result()
    assert first_numbers(kept) == [2.0]
    assert (sender.dispatcher.admission.held, sender.dispatcher.batches_in_flight) == (0, 0)


def test_what_the_broker_refuses_although_its_queue_is_empty_is_sent_again(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "PAUSE_SECONDS", 0.0)
    request = sender.submit(1)
    sender.steps()
    sender.publisher.refused, sender.publisher.waiting = [sender.publisher.sent[0][0]], 0
    sender.send_next()
    sender.steps()
    sender.answer(1)

    assert first_numbers(request) == [1.0]
    assert len(sender.publisher.sent) == 2


def test_what_may_never_have_reached_the_broker_is_sent_again(sender: Sender) -> None:
    request = sender.submit(1)
    sender.steps()
    sender.publisher.lost = [sender.publisher.sent[0][0], "a batch that was answered already"]
    sender.send_next()
    sender.steps()
    sender.answer(1)

    assert first_numbers(request) == [1.0]
    assert len(sender.publisher.sent) == 2


@pytest.mark.parametrize(
    "what", ["answered", "failed", "to be tried alone", "refused", "lost", "lost with its connection"]
)
def test_those_that_wait_for_a_place_or_come_back_are_sent_at_once(what: str, sender: Sender) -> None:
    """And not by the next sweep."""
    sender.dispatcher._sender.limit.batches = 1
    sender.submit(1), sender.submit(2)
    sender.turn()
    sender.send_next()
    sender.submit(3)
    sender.turn()
    assert sender.outbox.empty()

    messages = {"answered": None, "failed": {"status": "FAILURE"}, "to be tried alone": REFUSED}
    if what in messages:
        sender.deliver(0, messages[what])
    elif what == "refused":
        sender.publisher.refused = [sender.publisher.sent[0][0]]
        sender.send_next()
    elif what == "lost":
        sender.publisher.lost = [sender.publisher.sent[0][0]]
        sender.send_next()
    elif what == "lost with its connection":
        sender.replies.reconnect()
    sender.turn()
    assert not sender.outbox.empty()


def test_all_gateways_together_hold_no_more_than_the_brokers_queue_takes(sender: Sender) -> None:
    limit = sender.dispatcher._sender.limit
    limit.gateways = QUEUE_BATCHES_MAX // 2
    sender.dispatcher._sweep()
    assert sender.dispatcher.admission.most == 2
    requests = [sender.submit() for _ in range(3)]
    sender.turn()
    assert [request.done() for request in requests] == [False, False, True]
    assert isinstance(requests[2].exception(), BusyError)

    limit.gateways = 1
    sender.dispatcher._sweep()
    assert sender.dispatcher.admission.most == REQUESTS_MAX


def test_the_sender_looks_soon_for_confirms_only_while_it_reads_them(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[bool] = []
    monkeypatch.setattr(sender.publisher, "read_confirms", lambda: read.append(True))
    sender.submit(1)
    sender.step()
    sender.publisher.awaits_confirms = True

    sender.send_next()
    assert (sender.outbox.waits[-1], len(read)) == (sending.CONFIRM_SECONDS, 1)

    sender.answer(0)
    sender.send_next()
    assert (sender.outbox.waits[-1], len(read)) == (sending.LOOK_SECONDS, 1)


def test_the_error_of_a_whole_batch_knows_no_more_calls_the_more_requests_there_were(sender: Sender) -> None:
    requests = [sender.submit() for _ in range(3)]
    sender.step()
    sender.answer(0, {"status": "FAILURE", "result": {"exc_type": "RowsError"}, "traceback": "RowsError: no"})

    (error,) = {request.exception() for request in requests}
    assert error is not None
    ((frame, _),) = traceback.walk_tb(error.__traceback__)
    assert error not in frame.f_locals.values(), "it would be garbage"
