"""A page waits for an answer over the broker only while it has none."""

from __future__ import annotations

import threading
from datetime import timedelta
from time import monotonic

import pytest

from inference.dashboard import last_answer
from inference.dashboard.last_answer import LastAnswer
from inference.errors import BrokerUnavailableError
from tests.support.waiting import wait_until


@pytest.fixture(autouse=True)
def asks_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_answer, "FRESH_SECONDS", 0.0)


class Asked:
    """Answers at once, until it hangs or cannot be reached."""

    def __init__(self, wait_seconds: float = 0.2) -> None:
        self.hangs = threading.Event()
        self.hangs.set()
        self.away = False
        self.answer = LastAnswer("ask", self.ask, wait_seconds)

    def ask(self) -> str:
        if not self.hangs.wait(10):
            raise TimeoutError
        if self.away:
            raise BrokerUnavailableError("gone")
        return "answer"

    def value(self) -> str | None:
        found = self.answer.answer()
        return found.value if found else None


def test_an_answer_is_told_with_its_time() -> None:
    assert Asked().value() == "answer"


def test_the_first_answer_is_waited_for_so_long_and_no_longer() -> None:
    asked = Asked()
    asked.hangs.clear()
    started = monotonic()

    values = [asked.value() for _ in range(5)]
    asked.hangs.set()

    assert values == [None] * 5
    assert monotonic() - started < 2


def test_who_waited_in_vain_just_now_does_not_wait_so_long_again() -> None:
    asked = Asked(wait_seconds=1.0)
    asked.hangs.clear()
    asked.value()
    asked.away = True
    asked.hangs.set()
    with pytest.raises(BrokerUnavailableError):
        wait_until(asked.value)
    asked.hangs.clear()
    started = monotonic()

    asked.value()
    asked.hangs.set()

    assert monotonic() - started < 0.9


def test_the_last_answer_stands_until_it_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked()
    asked.value()
    asked.hangs.clear()

    assert asked.value() == "answer"
    monkeypatch.setattr(last_answer, "OLD_AFTER", timedelta(0))
    assert asked.value() is None
    asked.hangs.set()


def test_a_broker_that_is_away_is_told_at_once() -> None:
    asked = Asked()
    asked.value()
    asked.away = True

    with pytest.raises(BrokerUnavailableError):
        asked.value()


def test_asking_ahead_waits_for_nobody() -> None:
    asked = Asked()
    asked.hangs.clear()

    asked.answer.begin()
    asked.hangs.set()

    assert asked.value() == "answer"
