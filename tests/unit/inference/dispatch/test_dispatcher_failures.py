"""What becomes of requests when the broker, the database or a worker fails them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from django.db import OperationalError

from inference.dispatch import dispatcher as dispatch
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
    futures = [sender.submit(1), sender.submit(2)]
    sender.steps()
    sender.answer(0)

    assert first_numbers(*futures) == [1.0, 2.0]


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
    futures = [sender.submit(1), sender.submit(2)]
    sender.step()
    trace = "Traceback (most recent call last):\n  …\nRowsError: the network takes rows of shape (3,)\n"
    sender.answer(0, {"status": "FAILURE", "result": {"exc_type": "RowsError"}, "traceback": trace, "worker": "w1"})

    for future in futures:
        error = future.exception(timeout=0)
        assert isinstance(error, PredictionFailedError)
        assert error.trace == trace
        assert (error.version, error.worker) == (VERSION, "w1")
        assert str(error) == "RowsError: the network takes rows of shape (3,)"


def test_a_failure_that_says_very_much_is_shortened(sender: Sender) -> None:
    future = sender.submit(1)
    sender.step()
    sender.answer(
        0, {"status": "FAILURE", "result": {}, "traceback": "Traceback\n" + "x" * 9_000_000 + "\nRowsError: no"}
    )

    error = future.exception(timeout=0)
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
    futures = [sender.submit(1), sender.submit(2)]
    sender.step()
    receive = sender.replies.receivers[sender.publisher.sent[0][0]]
    receive(message)

    assert [type(future.exception(timeout=0)) for future in futures] == [PredictionFailedError] * 2
    assert sender.dispatcher.admission.held == 0


def test_an_unexpected_error_fails_its_requests_and_not_the_ones_after(sender: Sender) -> None:
    errors = [RuntimeError("a defect")]
    sender.version_to_use = lambda *_: _raise(errors.pop()) if errors else VERSION
    sender.publisher.on_send = lambda: sender.answer(-1)
    sender.dispatcher.start()
    try:
        assert sender.submit(1).exception(timeout=5) is not None
        assert sender.submit(2).result(timeout=5).batch_rows == 1
    finally:
        sender.dispatcher.stop()


REFUSED = {"status": "FAILURE", "result": {"exc_type": "NumbersError"}, "traceback": "NumbersError: too large"}


@pytest.mark.parametrize("kind", ["RowsError", "WeightsError", "SupplyError", "RuntimeError"])
def test_what_fails_every_request_of_a_batch_is_not_tried_again(kind: str, sender: Sender) -> None:
    futures = [sender.submit(1), sender.submit(2)]
    sender.step()
    sender.answer(0, {"status": "FAILURE", "result": {"exc_type": kind}, "traceback": kind})
    sender.steps()

    assert [future.exception(timeout=0).trace for future in futures] == [kind, kind]
    assert len(sender.publisher.sent) == 1


def test_one_requests_numbers_fail_nobody_else(sender: Sender) -> None:
    """The worker refuses a batch for one of its numbers: its requests travel one by one, later ones together."""
    good, bad, given_up, also_good = [sender.submit(number) for number in (1, -1, 2, 3)]
    sender.step()
    given_up.cancel()
    sender.answer(0, REFUSED)
    later = [sender.submit(4), sender.submit(5)]
    for index in range(1, 5):
        sender.step()
        first = np.frombuffer(sender.publisher.sent[index][1].inputs[""].data, np.float32)[0]
        sender.answer(index, REFUSED if first < 0 else None)

    assert [batch.requests for _, batch, *_ in sender.publisher.sent] == [4, 1, 2, 1, 1]
    assert first_numbers(good, also_good, *later) == [1.0, 3.0, 4.0, 5.0]
    error = bad.exception(timeout=0)
    assert isinstance(error, PredictionFailedError)
    assert error.trace == "NumbersError: too large"
    assert sender.dispatcher.admission.held == 0


def test_what_the_broker_refuses_fails_at_once_and_is_held_no_longer(sender: Sender) -> None:
    refused, kept = sender.submit(1), sender.submit(2, OTHER_NN_ID)
    sender.steps()
    sender.publisher.refused = [sender.publisher.sent[0][0], "a batch that was answered already"]
    sender.dispatcher._heed_confirms()
    sender.answer(1)

    with pytest.raises(BusyError, match="Server is busy"):
        refused.result(timeout=0)
    assert first_numbers(kept) == [2.0]
    assert (sender.dispatcher.admission.held, sender.dispatcher.batches_in_flight) == (0, 0)


def test_what_may_never_have_reached_the_broker_is_sent_again(sender: Sender) -> None:
    future = sender.submit(1)
    sender.steps()
    sender.publisher.lost = [sender.publisher.sent[0][0], "a batch that was answered already"]
    sender.dispatcher._heed_confirms()
    sender.steps()
    sender.answer(1)

    assert first_numbers(future) == [1.0]
    assert len(sender.publisher.sent) == 2


def test_all_gateways_together_hold_no_more_than_the_brokers_queue_takes(sender: Sender) -> None:
    sender.dispatcher._limit.gateways = QUEUE_BATCHES_MAX // 2
    assert sender.dispatcher.admission.most == 2
    sender.submit()
    sender.submit()
    with pytest.raises(BusyError):
        sender.submit()

    sender.dispatcher._limit.gateways = 1
    assert sender.dispatcher.admission.most == REQUESTS_MAX


def test_the_sender_looks_soon_for_confirms_only_while_it_reads_them(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    read: list[bool] = []
    monkeypatch.setattr(sender.dispatcher._changed, "wait_for", lambda _, seconds: waited.append(seconds))
    monkeypatch.setattr(sender.publisher, "read_confirms", lambda: read.append(True))
    sender.submit(1)
    sender.step()
    sender.publisher.awaits_confirms = True

    sender.dispatcher._send_next()
    assert (waited[-1], len(read)) == (dispatch.CONFIRM_SECONDS, 1)

    sender.answer(0)
    sender.dispatcher._send_next()
    assert (waited[-1], len(read)) == (dispatch.SWEEP_SECONDS, 1)
