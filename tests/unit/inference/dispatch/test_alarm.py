"""A broker that takes no messages: who hears of it, and what becomes of requests meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import ANY

import pytest

from inference.dispatch.alarm import NOWHERE, Alarm
from inference.errors import BrokerBlockedError
from inference.models import PredictionTiming
from inference.versions.asking import Question, ask_everybody
from tests.unit.pretended_gateway import PretendedGateway, PretendedReplies
from tests.unit.samples import asking
from tests.unit.sender import IN_FLIGHT, Sender, first_numbers


@dataclass
class Channel:
    """Notes what is published."""

    published: list[dict[str, Any]] = field(default_factory=list)

    def prepare_message(self, body: bytes) -> bytes:
        return body

    def basic_publish(self, message: bytes, **to: str) -> None:
        self.published.append({"message": message, **to})


def test_the_broker_is_asked_by_a_message_to_nowhere_until_it_is_blocked() -> None:
    alarm, channel = Alarm(), Channel()
    alarm.look(channel)
    assert channel.published == [{"message": b"", "exchange": "", "routing_key": NOWHERE}]

    alarm.transport_options()["on_blocked"]("connection blocked")
    alarm.look(channel)
    assert len(channel.published) == 1  # nobody would read it

    alarm.transport_options()["on_unblocked"]()
    alarm.check()
    alarm.look(channel)
    assert len(channel.published) == 2


def test_a_lost_connection_takes_what_it_told_along() -> None:
    alarm = Alarm()
    alarm.sound()
    with pytest.raises(BrokerBlockedError, match="memory or disk is full"):
        alarm.check()
    alarm.forget()
    alarm.check()


def test_requests_that_are_held_or_in_flight_are_refused_when_the_alarm_is_raised(sender: Sender) -> None:
    requests = []
    for number in range(IN_FLIGHT + 3):
        requests.append(sender.submit(number))
        sender.step()

    sender.replies.alarm.sound()
    sender.turn()

    for request in requests:
        assert isinstance(request.exception(), BrokerBlockedError)
    assert (sender.dispatcher.admission.held, sender.dispatcher.batches_in_flight) == (0, 0)
    assert not sender.replies.receivers


def test_new_requests_are_refused_while_it_is_on_and_answered_afterwards(sender: Sender) -> None:
    sender.replies.alarm.sound()
    refused = sender.submit(1)
    sender.turn()
    assert isinstance(refused.exception(), BrokerBlockedError)

    sender.replies.alarm.end()
    request = sender.submit(2)
    sender.steps()
    sender.answer(0)
    assert first_numbers(request) == [2]


def test_a_batch_that_the_sender_has_not_sent_when_it_is_raised_is_not_sent_after_it(sender: Sender) -> None:
    request = sender.submit(1)
    sender.turn()
    sender.replies.alarm.sound()
    sender.turn()
    sender.replies.alarm.end()
    sender.steps()

    assert isinstance(request.exception(), BrokerBlockedError)
    assert sender.publisher.sent == []


def test_one_that_was_on_its_way_in_is_refused_by_the_next_sweep(sender: Sender) -> None:
    request = sender.submit(1)
    sender.turn(1)
    sender.replies.alarm.on = True  # as if it had been raised before the request was let in
    sender.turn()
    sender.step()
    assert isinstance(request.exception(), BrokerBlockedError)
    assert sender.publisher.sent == []


def test_nobody_is_asked_while_it_is_on() -> None:
    replies, asked = PretendedReplies(), []
    question = Question(lambda *_: asked.append(_), lambda: 1, str, str)
    replies.alarm.sound()
    with pytest.raises(BrokerBlockedError):
        ask_everybody(replies, question, 60.0)  # type: ignore[arg-type]
    assert asked == []


def test_who_waits_for_answers_is_told_when_it_is_raised() -> None:
    replies = PretendedReplies()
    question = Question(lambda *_: replies.alarm.sound(), lambda: 1, str, str)
    with pytest.raises(BrokerBlockedError):
        ask_everybody(replies, question, 60.0)  # type: ignore[arg-type]


def test_a_refused_request_is_noted_as_refused(gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = BrokerBlockedError("blocked")
    with pytest.raises(BrokerBlockedError):
        asyncio.run(gateway.predictions.predict(asking([0.5, 0.25])))
    (noted,) = gateway.timings.noted
    assert noted == noted._replace(outcome=PredictionTiming.Outcome.REFUSED, total_ms=ANY)
