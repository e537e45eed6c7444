"""A request's answer to come: ended once, by whoever comes first; its thread or greenlet waits for it."""

from __future__ import annotations

from _thread import allocate_lock
from collections.abc import Callable

from inference.dispatch.answer import Answer
from inference.dispatch.server_loop import server_loop
from inference.errors import InferenceError


class AnswerFuture:
    """What `concurrent.futures.Future` is for one waiter, at a fraction of its cost; made by the one who waits."""

    __slots__ = ("_ended", "_on_end", "_outcome", "_wakeup")

    def __init__(self, on_end: Callable[[], None] = lambda: None) -> None:
        """`on_end` is called once, by whoever ends it, before the waiter goes on."""
        self._on_end = on_end
        self._wakeup = server_loop().new_wakeup()
        self._ended = allocate_lock()
        self._outcome: Answer | InferenceError | None = None

    def done(self) -> bool:
        """Whether it has ended: with an outcome, or given up."""
        return self._ended.locked()

    def finish(self, outcome: Answer | InferenceError) -> None:
        """End it with an outcome; nothing happens when it has ended already. From any thread."""
        if self._ended.acquire(blocking=False):
            self._outcome = outcome
            self._on_end()
            self._wakeup.set()

    def cancel(self) -> None:
        """Give it up: nobody waits any more."""
        if self._ended.acquire(blocking=False):
            self._on_end()

    def result(self, timeout: float) -> Answer:
        """The answer, waited for at most `timeout` seconds, once.

        Raises:
            InferenceError: what it ended with instead.
            TimeoutError: it has not ended in time; it is given up.
        """
        if not self._wakeup.wait(timeout):
            self.cancel()
        if isinstance(self._outcome, Answer):
            return self._outcome
        raise self._outcome or TimeoutError

    def exception(self, timeout: float) -> InferenceError | None:
        """What it ended with instead of an answer; waits, and raises TimeoutError, as `result` does."""
        try:
            self.result(timeout)
        except InferenceError as error:
            return error
        return None
