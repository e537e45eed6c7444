"""Asks everybody at once over the broker, and returns as soon as the last one that is connected has answered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Set
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any, Generic, TypeVar
from uuid import uuid4

from inference.dispatch.replies import Replies
from inference.errors import BrokerUnavailableError

#: How often those who should answer are counted again: one that has left is not waited for.
COUNT_SECONDS = 0.25
#: How often the question is sent again while answers are missing: somebody may have been reconnecting.
ASK_AGAIN_SECONDS = 2.0
#: How long a broker that is away just now is waited for.
RECONNECTED_SECONDS = 3.0

M = TypeVar("M")


@dataclass(frozen=True)
class Answers(Generic[M]):
    """What came back, ordered by sender, and how many that are connected did not answer in time."""

    messages: list[M]
    silent: int


@dataclass(frozen=True)
class Question(Generic[M]):
    """How to send a question (given the reply queue and a ticket), count who should answer, and read an answer."""

    send: Callable[[str, str], None]
    count: Callable[[], int]
    read: Callable[[Any], M]
    sender: Callable[[M], str]
    #: Called when as many have answered as there are: whether they are the ones that are there.
    complete: Callable[[Set[str]], bool] = lambda _: True
    #: Told, while others are waited for, what came since it was told last, and how many should answer.
    hear: Callable[[list[M], int], None] = lambda *_: None


def ask_everybody(replies: Replies, question: Question[M], timeout_seconds: float) -> Answers[M]:
    """Everybody's answer, or those that came within `timeout_seconds`; an answer that came twice counts once.

    Raises:
        BrokerUnavailableError: the broker cannot be reached, or takes no messages.
    """
    deadline = monotonic() + timeout_seconds
    if not replies.wait_connected(min(timeout_seconds, RECONNECTED_SECONDS)):
        raise BrokerUnavailableError("the broker cannot be reached")
    replies.alarm.check()
    ticket = uuid4().hex
    answers: dict[str, M] = {}
    told: set[str] = set()
    arrived = threading.Condition()

    def receive(data: Any) -> None:
        message = question.read(data)
        with arrived:
            answers[question.sender(message)] = message
            arrived.notify()

    replies.expect(ticket, receive)
    try:
        ask_again, expected = 0.0, question.count()
        complete = expected == 0
        while not complete and monotonic() < deadline:
            if monotonic() >= ask_again:
                # A new connection has a new reply queue, so its name goes into every asking.
                question.send(replies.queue, ticket)
                ask_again = monotonic() + ASK_AGAIN_SECONDS
            with arrived:
                arrived.wait_for(partial(_are_there, answers, expected), COUNT_SECONDS)
            replies.alarm.check()
            if len(answers) < expected:
                expected = question.count()
            if len(answers) >= expected:
                complete = question.complete(answers.keys())
                if not complete:
                    with arrived:
                        arrived.wait(COUNT_SECONDS)
            with arrived:
                new = [] if complete else sorted(answers.keys() - told)
            if new:
                question.hear([answers[sender] for sender in new], max(expected, len(answers)))
                told.update(new)
    finally:
        replies.forget(ticket)
    messages = [answers[sender] for sender in sorted(answers)]
    return Answers(messages, 0 if complete else max(1, expected - len(messages)))


def _are_there(answers: dict[str, M], expected: int) -> bool:
    return len(answers) >= expected
