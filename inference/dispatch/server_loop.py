"""What a prediction asks of the server that runs it: to wait for its answer, to hear when nobody else arrives, and
whether its client is still there.

A server with a thread for each request knows nothing of the others: its requests wait on locks, and none waits for
another one's arrival. One with an event loop does better, and says so with `use`.
"""

from __future__ import annotations

from _thread import allocate_lock
from collections.abc import Callable
from contextvars import ContextVar
from typing import Protocol


def nobody_knows() -> bool:
    """What a server says that cannot tell whether a client has gone."""
    return False


#: Whether the client of the request that is handled here has ended its side; may be asked from any thread.
CLIENT_HAS_ENDED: ContextVar[Callable[[], bool]] = ContextVar("client_has_ended", default=nobody_knows)


class Wakeup(Protocol):
    """One wait of one request."""

    def set(self) -> None:
        """Wake the one who waits, or will wait; from any thread, and once."""

    def wait(self, seconds: float) -> bool:
        """Wait until `set`, at most so long; whether it was."""


class ServerLoop(Protocol):
    """How requests of this process are served."""

    def new_wakeup(self) -> Wakeup:
        """A wake-up for a request of the calling thread or greenlet."""

    def when_all_read(self, act: Callable[[], None]) -> None:
        """Call `act` when the requests that have arrived by now are read, or soon; once, however often it is asked."""


class ThreadWakeup:
    """A thread's wait, on a lock."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._lock.acquire()

    def set(self) -> None:
        """Wake the thread."""
        self._lock.release()

    def wait(self, seconds: float) -> bool:
        """Wait until `set`, at most so long; whether it was."""
        return self._lock.acquire(timeout=seconds)


class ThreadForEach:
    """A server with a thread for each request."""

    def new_wakeup(self) -> Wakeup:
        """A wake-up for the calling thread."""
        return ThreadWakeup()

    def when_all_read(self, act: Callable[[], None]) -> None:
        """At once: nobody knows of the others."""
        act()


_loop: ServerLoop = ThreadForEach()


def use(loop: ServerLoop) -> None:
    """Have the requests of this process served so."""
    global _loop
    _loop = loop


def server_loop() -> ServerLoop:
    """How requests of this process are served."""
    return _loop
