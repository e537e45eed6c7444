"""The thread that sends: what it looks at before it does, and what comes back."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError

from inference.dispatch import dispatcher as dispatch
from inference.dispatch import sender as sending
from inference.errors import BrokerUnavailableError, BusyError, DatabaseAwayError, PredictionFailedError
from tests.unit.samples import OTHER_NN_ID, VERSION, reply_to
from tests.unit.sender import SECONDS, Sender, first_numbers
from workers.messages.protocol import PREDICT_QUEUE, VersionRef


def test_a_batch_that_was_withdrawn_before_the_sender_came_to_it_is_not_sent(sender: Sender) -> None:
    versions_read: list[object] = []
    sender.version_to_use = lambda *_: versions_read.append(_) or VERSION
    request = sender.submit(1)
    sender.turn()
    sender.replies.reconnect()
    sender.turn()
    assert sender.outbox.qsize() == 2

    sender.send_next()
    assert (sender.publisher.sent, versions_read) == ([], [])
    sender.send_next()
    sender.answer(0)
    assert (first_numbers(request), len(sender.publisher.sent)) == ([1.0], 1)


@pytest.mark.parametrize("why", ["the broker was lost", "the broker takes no messages", "its time was over"])
def test_a_batch_that_is_withdrawn_while_its_version_is_read_is_not_sent_and_leaves_nothing(
    why: str, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    def withdraw(*_: Any) -> VersionRef:
        match why:
            case "the broker was lost":
                sender.replies.reconnect()
            case "the broker takes no messages":
                sender.replies.alarm.sound()
            case "its time was over":
                now = dispatch.monotonic() + SECONDS + 1
                monkeypatch.setattr(dispatch, "monotonic", lambda: now)
                sender.sweep()
        sender.turn()
        return VERSION

    sender.version_to_use = withdraw
    sender.submit(1)
    sender.turn()
    sender.send_next()

    assert sender.publisher.sent == []
    assert sender.replies.receivers == {}


def test_a_batch_that_is_withdrawn_once_an_answer_is_expected_leaves_nothing(sender: Sender) -> None:
    request = sender.submit(1)
    sender.turn()
    sender.publisher.on_send = lambda: (sender.replies.alarm.sound(), sender.turn())
    sender.send_next()

    assert request.done()
    assert sender.replies.receivers == {}
    assert sender.dispatcher.batches_in_flight == 0


def test_a_batch_that_the_sender_comes_to_while_it_is_being_withdrawn_leaves_nothing(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget = sender.replies.forget

    def forget_and_send(ticket: str) -> None:
        forget(ticket)
        sender.send_next()

    monkeypatch.setattr(sender.replies, "forget", forget_and_send)
    request = sender.submit(1)
    sender.turn()
    sender.replies.alarm.sound()
    sender.turn()

    assert request.done()
    assert sender.publisher.sent == []
    assert sender.replies.receivers == {}


def test_an_answer_that_is_there_before_the_sender_knows_that_it_has_sent_counts(sender: Sender) -> None:
    sender.publisher.on_send = lambda: sender.answer(-1)
    request = sender.submit(1)
    sender.steps()

    assert first_numbers(request) == [1.0]
    assert len(sender.publisher.sent) == 1


def test_one_that_could_not_be_sent_and_was_put_back_meanwhile_goes_again_once(sender: Sender) -> None:
    def lose_the_broker(*_: Any) -> VersionRef:
        sender.version_to_use = lambda *_: VERSION
        sender.replies.reconnect()
        sender.turn()
        raise OperationalError("gone")

    sender.version_to_use = lose_the_broker
    request = sender.submit(1)
    sender.steps()
    sender.answer(0)

    assert first_numbers(request) == [1.0]
    assert len(sender.publisher.sent) == 1


def test_the_time_left_is_that_at_which_it_is_sent(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have waited for the sender, and the sender for the database."""
    request = sender.submit(1)
    sender.turn()
    now = sending.monotonic() + 20.0
    monkeypatch.setattr(sending, "monotonic", lambda: now)
    sender.send_next()
    sender.answer(0)

    [(*_, seconds_left)] = sender.publisher.sent
    assert 0 < seconds_left <= SECONDS - 20.0
    assert request.result().queue_ms >= 20_000.0


def test_a_connection_that_breaks_while_confirms_are_read_is_no_end(
    sender: Sender, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = sender.submit(1)
    sender.step()
    sender.publisher.awaits_confirms = True

    def break_off() -> None:
        sender.publisher.awaits_confirms = False
        sender.publisher.lost = [sender.publisher.sent[0][0]]
        raise BrokerUnavailableError("broken")

    monkeypatch.setattr(sender.publisher, "read_confirms", break_off)
    sender.steps(3)
    sender.answer(1)

    assert first_numbers(request) == [1.0]
    assert len(sender.publisher.sent) == 2
    assert "it does not say: broken" in caplog.text


def test_while_the_database_is_away_only_those_wait_whose_version_it_has_not_told(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "PAUSE_SECONDS", SECONDS)

    def version_to_use(nn_id: str | None, _: int | None) -> VersionRef:
        if nn_id == OTHER_NN_ID:
            raise DatabaseAwayError("away")
        return VERSION

    sender.version_to_use = version_to_use
    waits, known = sender.submit(1, OTHER_NN_ID), sender.submit(2)
    sender.steps()
    sender.answer(0)
    assert (first_numbers(known), waits.done(), len(sender.dispatcher._coalescer)) == ([2.0], False, 1)

    sender.version_to_use = lambda *_: VERSION
    sender.replies.reconnect()  # which ends the rest
    sender.steps()
    sender.answer(1)
    assert first_numbers(waits) == [1.0]


def test_what_is_sent_after_a_reconnect_goes_by_a_new_connection(sender: Sender) -> None:
    sender.replies.reconnect()
    sender.turn()
    assert sender.publisher.renewed == 1


def test_the_fleet_is_counted_with_what_is_sent(sender: Sender) -> None:
    limit = sender.dispatcher._sender.limit
    sender.publisher.consumers[PREDICT_QUEUE] = 7
    limit._count_next = 0.0
    sender.step()
    before = limit.batches
    sender.submit()
    sender.step()

    assert (before, limit.batches) == (4, 14)


def test_what_was_not_sent_when_it_stops_stays_unsent(sender: Sender) -> None:
    sender.submit(1)
    sender.turn()
    sender.dispatcher._sender._thread.stopping.set()  # as if it had not come to it before it was stopped
    with sender.running():
        pass

    assert sender.publisher.sent == []
    assert sender.publisher.closed


def test_an_answer_that_cannot_be_read_fails_its_batch_and_the_thread_of_the_replies_goes_on(
    sender: Sender, caplog: pytest.LogCaptureFixture
) -> None:
    failed = sender.submit(1)
    sender.step()
    sender.answer(0, {"status": "SUCCESS", "result": "odd"})
    answered = sender.submit(2)
    sender.step()
    sender.answer(1)

    assert isinstance(failed.exception(), PredictionFailedError)
    assert first_numbers(answered) == [2.0]
    assert "cannot be read" in caplog.text


def test_the_broker_may_refuse_what_is_answered_already(sender: Sender) -> None:
    request = sender.submit(1)
    sender.step()
    sender.publisher.refused = [sender.publisher.sent[0][0]]
    sender.deliver(0)
    sender.send_next()
    sender.turn()
    assert first_numbers(request) == [1.0]

    refused = sender.submit(2)
    sender.step()
    sender.publisher.refused = [sender.publisher.sent[1][0]]
    receive = sender.replies.receivers[sender.publisher.sent[1][0]]
    sender.send_next()
    receive(reply_to(sender.publisher.sent[1][1].inputs))
    sender.turn()
    assert isinstance(refused.exception(), BusyError)
