"""A version whose batch killed the workers that took it is refused for a while, and tried by one batch then."""

from __future__ import annotations

from asyncio import Task
from dataclasses import replace
from uuid import uuid4

import pytest

from inference.dispatch import dispatcher as dispatch
from inference.dispatch import quarantine as quarantine_module
from inference.dispatch import sender as sending
from inference.dispatch.answer import Answer
from inference.dispatch.quarantine import HEARD_MAX, REFUSE_SECONDS, REFUSE_SECONDS_MAX, REFUSED_MAX, Quarantine
from inference.errors import BrokerUnavailableError, PredictionFailedError, QuarantinedError
from tests.unit.samples import VERSION
from tests.unit.sender import SECONDS, Sender, first_numbers
from workers.messages.news import QUARANTINED_NEWS, Quarantined
from workers.messages.protocol import VersionRef

OTHER = replace(VERSION, number=VERSION.number + 1)
PUT_ASIDE = {"status": "FAILURE", "result": {"exc_type": "QuarantinedError"}, "traceback": "QuarantinedError: 3 died"}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (dispatch, sending, quarantine_module):
        monkeypatch.setattr(module, "monotonic", clock)
    return clock


def tell(sender: Sender, reply_to: str = "", batch_id: str = "") -> None:
    """A worker tells all gateways that a batch of VERSION, another one each time, killed workers."""
    sender.replies.news[QUARANTINED_NEWS](Quarantined(VERSION, reply_to, batch_id or uuid4().hex).to_json())


def ask(sender: Sender, clock: Clock) -> object:
    """A request that is sent, or refused: what became of it."""
    before = len(sender.publisher.sent)
    request = sender.submit()
    sender.steps(2)
    if len(sender.publisher.sent) > before:
        return "sent"
    try:
        return request.result()
    except QuarantinedError as error:
        return error.retry_after_seconds


def test_who_sent_it_has_the_error_and_the_next_ones_are_refused_at_once(sender: Sender, clock: Clock) -> None:
    request = sender.submit()
    sender.step()
    tell(sender, sender.replies.queue)
    sender.answer(0, PUT_ASIDE)
    with pytest.raises(PredictionFailedError, match="3 died"):
        request.result()
    assert ask(sender, clock) == REFUSE_SECONDS
    assert sender.dispatcher.batches_quarantined == 1
    refused = sender.submit()
    sender.step()
    with pytest.raises(QuarantinedError, match="is refused: a batch of it killed"):
        refused.result()


def test_every_gateway_refuses_and_the_one_that_sent_it_counts(sender: Sender, clock: Clock) -> None:
    tell(sender, "replies.of another")
    assert ask(sender, clock) == REFUSE_SECONDS
    assert sender.dispatcher.batches_quarantined == 0


def test_a_batch_that_was_sent_before_a_reconnect_counts(sender: Sender, clock: Clock) -> None:
    before = sender.replies.queue
    sender.replies.reconnect()
    tell(sender, before)
    assert sender.dispatcher.batches_quarantined == 1


def test_the_same_news_sent_again_change_nothing(sender: Sender, clock: Clock) -> None:
    tell(sender, sender.replies.queue, "the batch")
    clock.now += REFUSE_SECONDS
    trial = sender.submit(0.25)
    sender.step()
    for _ in range(3):
        tell(sender, sender.replies.queue, "the batch")
    sender.answer(0)
    assert first_numbers(trial) == [0.25]
    tell(sender, sender.replies.queue, "the batch")
    assert ask(sender, clock) == "sent"
    assert sender.dispatcher.batches_quarantined == 1


def test_what_is_remembered_of_news_is_bounded() -> None:
    quarantine = Quarantine(lambda _: True)
    for number in range(HEARD_MAX + 1):
        quarantine.hear(Quarantined(VERSION, "", f"{number}").to_json())
    assert len(quarantine._heard) == HEARD_MAX
    assert quarantine.of_mine == HEARD_MAX + 1
    quarantine.hear(Quarantined(VERSION, "", f"{HEARD_MAX}").to_json())
    assert quarantine.of_mine == HEARD_MAX + 1, "the latest one is remembered"


def test_other_versions_are_answered(sender: Sender, clock: Clock) -> None:
    tell(sender)
    sender.version_to_use = lambda *_: OTHER
    assert ask(sender, clock) == "sent"


def test_one_batch_is_tried_and_when_it_is_answered_all_are(sender: Sender, clock: Clock) -> None:
    tell(sender)
    clock.now += REFUSE_SECONDS
    trial = sender.submit(0.25)
    sender.step()
    assert ask(sender, clock) == SECONDS, "another one while the first is tried"
    sender.answer(0)
    assert first_numbers(trial) == [0.25]
    assert ask(sender, clock) == "sent"
    assert ask(sender, clock) == "sent"


def test_a_trial_that_is_quarantined_again_doubles_the_time(sender: Sender, clock: Clock) -> None:
    tell(sender)
    expected = REFUSE_SECONDS
    for _ in range(10):
        clock.now += expected
        assert ask(sender, clock) == "sent"
        tell(sender)
        sender.answer(-1, PUT_ASIDE)
        expected = min(2 * expected, REFUSE_SECONDS_MAX)
        assert ask(sender, clock) == expected


def test_several_batches_that_were_on_their_way_together_count_as_one(sender: Sender, clock: Clock) -> None:
    for _ in range(3):
        tell(sender)
    assert ask(sender, clock) == REFUSE_SECONDS


def test_the_answer_to_a_batch_that_was_sent_before_proves_nothing(sender: Sender, clock: Clock) -> None:
    earlier = sender.submit(0.25)
    sender.step()
    clock.now += 1
    tell(sender)
    sender.answer(0)
    assert first_numbers(earlier) == [0.25]
    assert ask(sender, clock) == REFUSE_SECONDS


def test_a_trial_without_an_answer_is_followed_by_another(sender: Sender, clock: Clock) -> None:
    tell(sender)
    clock.now += REFUSE_SECONDS
    assert ask(sender, clock) == "sent"
    clock.now += SECONDS + 1
    assert ask(sender, clock) == "sent"


def is_answered(trial: Task[Answer], sender: Sender, clock: Clock) -> bool:
    """Whether one that was lost goes again by itself, and has its answer."""
    clock.now += 1
    sender.steps(2)
    sender.answer(-1)
    return first_numbers(trial) == [0.25]


@pytest.mark.parametrize("lost", ["not sent", "sent in vain"])
def test_a_trial_that_reached_no_worker_goes_again(lost: str, sender: Sender, clock: Clock) -> None:
    tell(sender)
    clock.now += REFUSE_SECONDS
    if lost == "not sent":
        sender.publisher.failures.append(BrokerUnavailableError("gone"))
    trial = sender.submit(0.25)
    sender.step()
    if lost == "sent in vain":
        sender.replies.reconnect()
    assert is_answered(trial, sender, clock)


def test_a_trial_that_the_brokers_queue_refused_does_not_keep_the_next_one_waiting(
    sender: Sender, clock: Clock
) -> None:
    tell(sender)
    clock.now += REFUSE_SECONDS
    assert ask(sender, clock) == "sent"
    sender.publisher.refused = [sender.publisher.sent[-1][0]]
    sender.step()
    clock.now += 1
    assert ask(sender, clock) == "sent"


def test_a_trial_that_was_withdrawn_while_it_was_about_to_be_sent_does_not_keep_the_next_one_waiting(
    sender: Sender, clock: Clock
) -> None:
    tell(sender)
    clock.now += REFUSE_SECONDS
    trial = sender.submit(0.25)
    sender.turn()

    def lose_the_broker(*_: object) -> VersionRef:
        sender.version_to_use = lambda *_: VERSION
        sender.replies.reconnect()
        sender.turn()
        return VERSION

    sender.version_to_use = lose_the_broker
    sender.send_next()
    assert sender.publisher.sent == []
    assert is_answered(trial, sender, clock)


def test_a_request_that_is_refused_while_another_is_tried_leaves_the_trial_as_it_is(
    sender: Sender, clock: Clock
) -> None:
    """Both in the same moment: by its time alone it might be taken for the trial."""
    tell(sender)
    clock.now += REFUSE_SECONDS
    assert ask(sender, clock) == "sent"
    assert [ask(sender, clock) for _ in range(3)] == [SECONDS] * 3


def test_the_versions_that_are_refused_are_bounded() -> None:
    quarantine = Quarantine(lambda _: True)
    for number in range(1, REFUSED_MAX + 2):
        quarantine.hear(Quarantined(replace(VERSION, number=number), "", f"{number}").to_json())
    assert len(quarantine._refused) == REFUSED_MAX


def test_what_nobody_asks_for_any_more_is_forgotten(sender: Sender, clock: Clock) -> None:
    tell(sender)
    clock.now += REFUSE_SECONDS + REFUSE_SECONDS_MAX + 1
    sender.replies.news[QUARANTINED_NEWS](Quarantined(OTHER, "", "another").to_json())
    assert ask(sender, clock) == "sent"
