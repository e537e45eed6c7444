"""What the broker says to the batches that are published on a channel: it has taken them, or it refuses them.

It says so some 0.3 ms later, which nobody waits for: what it has said is read when the next batch is published, or when
somebody looks.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from amqp import Channel


class Confirms:
    """Batches by their number on one channel, which nothing else is published on. For one thread."""

    def __init__(self, channel: Any) -> None:
        self._waited_for: dict[int, str] = {}
        self._published = 0
        self._refused: list[str] = []
        #: The in-process broker refuses at once, by an exception.
        self._comes_later = isinstance(channel, Channel)
        if self._comes_later:
            channel.confirm_select()
            channel.events["basic_ack"].add(self._take)
            channel.events["basic_nack"].add(self._refuse)

    @property
    def awaits(self) -> bool:
        """Whether some are missing."""
        return bool(self._waited_for)

    @property
    def missing(self) -> list[str]:
        """The batches of which the broker has said nothing yet."""
        return list(self._waited_for.values())

    def expect(self, batch_id: str) -> None:
        """The batch is published next."""
        if self._comes_later:
            self._published += 1
            self._waited_for[self._published] = batch_id

    def expect_not(self) -> None:
        """The latest one was not published after all."""
        if self._comes_later:
            self._waited_for.pop(self._published, None)
            self._published -= 1

    def take_refused(self) -> list[str]:
        """The batches that were refused since this was asked last."""
        refused, self._refused = self._refused, []
        return refused

    def _take(self, number: int, multiple: bool) -> None:
        self._settle(number, multiple)

    def _refuse(self, number: int, multiple: bool) -> None:
        self._refused += self._settle(number, multiple)

    def _settle(self, number: int, multiple: bool) -> list[str]:
        numbers = list(takewhile(lambda each: each <= number, self._waited_for)) if multiple else [number]
        return [self._waited_for.pop(each) for each in numbers if each in self._waited_for]
