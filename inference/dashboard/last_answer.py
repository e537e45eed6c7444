"""The last answer to a question over the broker: asked in a thread beside, and waited for while there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from django.utils import timezone

from inference.errors import BrokerUnavailableError
from inference.health.probe import Probe

T = TypeVar("T")

#: Asked no more often, however many look.
FRESH_SECONDS = 2.0
#: So long the last answer stands for a new one that has not come.
OLD_AFTER = timedelta(seconds=15)
#: So long a new answer is waited for where there is an earlier one, or one was waited for in vain just now.
SHORT_SECONDS = 0.3


@dataclass(frozen=True)
class Answered(Generic[T]):
    """An answer, and when it came."""

    value: T
    at: datetime


class LastAnswer(Generic[T]):
    """Owns the probe of one question; `long_seconds` is waited when there is no earlier answer."""

    def __init__(self, name: str, ask: Callable[[], T], long_seconds: float) -> None:
        self._ask = ask
        self._long_seconds = long_seconds
        self._last: Answered[T] | None = None
        self._missed_at: datetime | None = None
        self._probe = Probe(name, self._ask_and_note, FRESH_SECONDS)

    def begin(self) -> None:
        """Ask, and do not wait."""
        try:
            self._probe.answer(0.0)
        except (TimeoutError, BrokerUnavailableError):
            pass

    def answer(self) -> Answered[T] | None:
        """The answer, or the last one while it is not old.

        Raises:
            BrokerUnavailableError: the broker cannot be reached.
        """
        try:
            self._probe.answer(SHORT_SECONDS if self._recent() or self._missed() else self._long_seconds)
        except TimeoutError:
            self._missed_at = timezone.now()
        return self._recent()

    def _recent(self) -> Answered[T] | None:
        last = self._last
        return last if last is not None and _just_now(last.at) else None

    def _missed(self) -> bool:
        return self._missed_at is not None and _just_now(self._missed_at)

    def _ask_and_note(self) -> None:
        self._last = Answered(self._ask(), timezone.now())


def _just_now(at: datetime) -> bool:
    return timezone.now() - at < OLD_AFTER
