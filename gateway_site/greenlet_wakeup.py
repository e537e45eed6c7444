"""Requests that wait in the server's loop, and other threads that wake them: all that are ready at once."""

from __future__ import annotations

from collections import deque
from threading import get_ident

import gevent
from gevent.event import Event

from inference.wakeup import ThreadWakeup, Wakeup


class GreenletWakeups:
    """Makes wake-ups for this thread's greenlets; made in the thread whose loop they wait in."""

    def __init__(self) -> None:
        self._thread = get_ident()
        self._ready: deque[Event] = deque()
        self._signal = gevent.get_hub().loop.async_()
        self._signal.start(self._wake_all)

    def make(self) -> Wakeup:
        """A wake-up for whoever calls: a greenlet of the loop, or some other thread."""
        return _GreenletWakeup(self) if get_ident() == self._thread else ThreadWakeup()

    def wake(self, event: Event) -> None:
        """Have the loop set the event; from any thread."""
        self._ready.append(event)
        self._signal.send()

    def _wake_all(self) -> None:
        while self._ready:
            self._ready.popleft().set()


class _GreenletWakeup:
    """One greenlet's wait, in which the others of its loop go on."""

    __slots__ = ("_event", "_loop")

    def __init__(self, loop: GreenletWakeups) -> None:
        self._loop = loop
        self._event = Event()

    def set(self) -> None:
        """Wake the greenlet that waits, or will wait; from any thread."""
        self._loop.wake(self._event)

    def wait(self, seconds: float) -> bool:
        """Wait until `set`, at most so long; whether it was."""
        return bool(self._event.wait(seconds))
