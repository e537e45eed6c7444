"""The event loop in which requests wait as greenlets: other threads wake all that are ready at once, and requests that
arrive together are given to the workers together.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import get_ident

import gevent
from gevent.event import Event

from inference.dispatch.server_loop import ThreadForEach, Wakeup

#: A loop that always has something to read does not keep what it has read for longer, nor more of it.
READ_SECONDS = 0.02
READ_REQUESTS = 256


class GreenletLoop:
    """The loop of the thread that makes this; threads beside it are served as threads are."""

    def __init__(self) -> None:
        loop = gevent.get_hub().loop
        self._thread = get_ident()
        self._threads = ThreadForEach()
        self._ready: deque[Event] = deque()
        self._signal = loop.async_()
        self._signal.start(self._wake_all)
        self._idle = loop.idle()
        # The loop is never idle while others' requests, which the dispatcher need not see, keep it busy.
        self._late = loop.timer(0.0, READ_SECONDS)
        self._requests_read = 0

    def new_wakeup(self) -> Wakeup:
        """A wake-up for whoever calls: a greenlet of the loop, or some other thread."""
        return GreenletWakeup(self) if get_ident() == self._thread else self._threads.new_wakeup()

    def when_all_read(self, act: Callable[[], None]) -> None:
        """Call `act` when the loop has nothing else to do, or has read much."""
        if get_ident() != self._thread:
            self._threads.when_all_read(act)
            return
        self._requests_read += 1
        if self._requests_read == 1:
            self._idle.start(self._has_read, act)
            self._late.again(self._has_read, act, update=False)  # started again, it would take what was left
        elif self._requests_read >= READ_REQUESTS:
            self._has_read(act)

    def wake(self, event: Event) -> None:
        """Have the loop set the event; from any thread."""
        self._ready.append(event)
        self._signal.send()

    def _has_read(self, act: Callable[[], None]) -> None:
        self._idle.stop()
        self._late.stop()
        self._requests_read = 0
        act()

    def _wake_all(self) -> None:
        while self._ready:
            self._ready.popleft().set()


class GreenletWakeup:
    """One greenlet's wait, in which the others of its loop go on."""

    __slots__ = ("_event", "_loop")

    def __init__(self, loop: GreenletLoop) -> None:
        self._loop = loop
        self._event = Event()

    def set(self) -> None:
        """Wake the greenlet that waits, or will wait; from any thread."""
        self._loop.wake(self._event)

    def wait(self, seconds: float) -> bool:
        """Wait until `set`, at most so long; whether it was."""
        return bool(self._event.wait(seconds))
