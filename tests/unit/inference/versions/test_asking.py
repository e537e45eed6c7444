"""Asking everybody at once: who is waited for, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

from inference.errors import BrokerUnavailableError
from inference.versions import asking
from inference.versions.asking import Answers, Question, ask_everybody
from tests.unit.pretended_gateway import PretendedReplies

#: A wait that no test sits out: who returns sooner has not waited.
LONG_SECONDS = 60.0
#: A wait that is sat out.
SHORT_SECONDS = 0.05


@pytest.fixture(autouse=True)
def _counted_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "COUNT_SECONDS", 0.005)


@pytest.fixture
def replies() -> PretendedReplies:
    return PretendedReplies()


class Crowd:
    """Who is asked: how many there are at each counting, and who answers to each asking."""

    def __init__(self, replies: PretendedReplies, counts: list[int], *answering: list[str]) -> None:
        self.asked: list[tuple[str, str]] = []
        self.on_asked: Callable[[], None] = lambda: None
        self.heard: list[tuple[list[str], int]] = []
        self._replies = replies
        self._counts = counts
        self._answering = list(answering)

    def question(self) -> Question[str]:
        return Question(
            send=self._send,
            count=self._count,
            read=self._read,
            sender=lambda text: text,
            hear=lambda new, expected: self.heard.append((new, expected)),
        )

    def _send(self, reply_to: str, ticket: str) -> None:
        self.asked.append((reply_to, ticket))
        for name in self._answering.pop(0) if self._answering else []:
            self._replies.deliver(ticket, name)
        self.on_asked()

    def _count(self) -> int:
        return self._counts.pop(0) if len(self._counts) > 1 else self._counts[0]

    @staticmethod
    def _read(data: Any) -> str:
        return str(data)


def ask(replies: PretendedReplies, crowd: Crowd, seconds: float = LONG_SECONDS) -> Answers[str]:
    answers = ask_everybody(replies, crowd.question(), seconds)  # type: ignore[arg-type]
    assert replies.receivers == {}, "answers that come later are still waited for"
    return answers


def test_the_answers_come_ordered_by_sender(replies: PretendedReplies) -> None:
    assert ask(replies, Crowd(replies, [3], ["c", "a", "b"])) == Answers(["a", "b", "c"], 0)


def test_it_returns_as_soon_as_the_last_has_answered(replies: PretendedReplies) -> None:
    started = monotonic()

    ask(replies, Crowd(replies, [2], ["a", "b"]))

    assert monotonic() - started < LONG_SECONDS / 10


def test_with_nobody_there_nobody_is_asked(replies: PretendedReplies) -> None:
    crowd = Crowd(replies, [0])

    assert ask(replies, crowd) == Answers([], 0)
    assert crowd.asked == []


def test_what_has_come_is_told_once_while_others_are_waited_for(replies: PretendedReplies) -> None:
    crowd = Crowd(replies, [3], ["b", "a"])

    ask(replies, crowd, SHORT_SECONDS)

    assert crowd.heard == [(["a", "b"], 3)]


def test_when_all_answer_at_once_nothing_is_told_before_the_end(replies: PretendedReplies) -> None:
    crowd = Crowd(replies, [2], ["a", "b"])

    ask(replies, crowd)

    assert crowd.heard == []


def test_who_answers_twice_counts_once(replies: PretendedReplies) -> None:
    assert ask(replies, Crowd(replies, [2], ["a", "a"]), SHORT_SECONDS) == Answers(["a"], 1)


def test_who_does_not_answer_in_time_is_counted_as_silent(replies: PretendedReplies) -> None:
    assert ask(replies, Crowd(replies, [3], ["b"]), SHORT_SECONDS) == Answers(["b"], 2)


def test_who_leaves_is_not_waited_for(replies: PretendedReplies) -> None:
    assert ask(replies, Crowd(replies, [2, 2, 2, 1], ["a"])) == Answers(["a"], 0)


def test_who_answered_and_then_left_makes_nobody_silent(replies: PretendedReplies) -> None:
    assert ask(replies, Crowd(replies, [3, 3, 1], ["a", "b"])) == Answers(["a", "b"], 0)


def test_who_joins_meanwhile_is_asked_too(replies: PretendedReplies, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "ASK_AGAIN_SECONDS", 0.0)

    assert ask(replies, Crowd(replies, [2, 3], ["a"], ["a", "b", "c"])) == Answers(["a", "b", "c"], 0)


def test_who_missed_the_question_is_asked_again_under_the_same_ticket(
    replies: PretendedReplies, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "ASK_AGAIN_SECONDS", 0.0)
    crowd = Crowd(replies, [1], [], ["a"])

    assert ask(replies, crowd) == Answers(["a"], 0)
    assert len({ticket for _, ticket in crowd.asked}) == 1


def test_after_a_reconnect_answers_go_to_the_new_queue(
    replies: PretendedReplies, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "ASK_AGAIN_SECONDS", 0.0)
    crowd = Crowd(replies, [1], [], ["a"])
    crowd.on_asked = replies.reconnect

    ask(replies, crowd)

    assert [reply_to for reply_to, _ in crowd.asked] == ["replies.1", "replies.1'"]


def test_two_askings_do_not_take_each_others_answers(replies: PretendedReplies) -> None:
    first = Crowd(replies, [1], [])
    second = Crowd(replies, [1], ["second"])
    first.on_asked = lambda: second_answers.append(ask_everybody(replies, second.question(), LONG_SECONDS))  # type: ignore[arg-type]
    second_answers: list[Answers[str]] = []

    assert ask(replies, first, SHORT_SECONDS) == Answers([], 1)
    assert second_answers == [Answers(["second"], 0)]


def test_a_broker_that_is_away_is_not_waited_for_as_long_as_an_answer(
    replies: PretendedReplies, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(replies, "wait_connected", lambda seconds: waits.append(seconds))

    for seconds in (LONG_SECONDS, SHORT_SECONDS):
        with pytest.raises(BrokerUnavailableError):
            ask(replies, Crowd(replies, [1]), seconds)

    assert waits == [asking.RECONNECTED_SECONDS, SHORT_SECONDS]


def test_without_a_broker_nobody_is_asked(replies: PretendedReplies) -> None:
    replies.connected = False
    crowd = Crowd(replies, [1], ["a"])

    with pytest.raises(BrokerUnavailableError):
        ask(replies, crowd)
    assert crowd.asked == []
