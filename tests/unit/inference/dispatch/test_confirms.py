"""Which batches the broker has taken, refused, or said nothing about."""

from __future__ import annotations

from collections import defaultdict
from unittest.mock import Mock

import pytest
from amqp import Channel

from inference.dispatch.confirms import Confirms


@pytest.fixture
def channel() -> Mock:
    return Mock(spec=Channel, events=defaultdict(set))


def say(channel: Mock, event: str, number: int, multiple: bool = False) -> None:
    for hear in channel.events[event]:
        hear(number, multiple)


def test_what_the_broker_says_of_several_at_once_is_of_all_up_to_there(channel: Mock) -> None:
    confirms = Confirms(channel)
    for name in "abcdef":
        confirms.expect(name)
    assert confirms.missing == list("abcdef")

    say(channel, "basic_ack", 2)
    say(channel, "basic_nack", 3, multiple=True)
    say(channel, "basic_ack", 5, multiple=True)
    say(channel, "basic_ack", 5)

    assert confirms.take_refused() == ["a", "c"]
    assert confirms.take_refused() == []
    assert (confirms.missing, confirms.awaits) == (["f"], True)
    say(channel, "basic_nack", 6)
    assert (confirms.take_refused(), confirms.awaits) == (["f"], False)


def test_one_that_was_not_published_takes_no_number(channel: Mock) -> None:
    confirms = Confirms(channel)
    for name in "ab":
        confirms.expect(name)
    confirms.expect_not()
    confirms.expect("c")
    say(channel, "basic_nack", 2)
    assert (confirms.take_refused(), confirms.missing) == (["c"], ["a"])


def test_a_broker_that_refuses_at_once_is_not_waited_for() -> None:
    confirms = Confirms(object())
    confirms.expect("a")
    assert not confirms.awaits
