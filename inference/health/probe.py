"""A question whose answer may take long, or never come: asked in a thread beside, waited for at most so long."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from time import monotonic
from typing import Generic, TypeVar

from django.db import connection

T = TypeVar("T")


class Probe(Generic[T]):
    """Asks once at a time, however many wait for it, and not again while the last answer is young."""

    def __init__(self, name: str, ask: Callable[[], T], fresh_seconds: float = 1.0) -> None:
        self._name = name
        self._ask = ask
        self._fresh_seconds = fresh_seconds
        self._lock = threading.Lock()
        self._asked_at = 0.0
        self._answer: Future[T] | None = None

    def answer(self, wait_seconds: float) -> T:
        """The answer. One who comes while it is overdue already does not wait for it.

        Raises:
            TimeoutError: there is none, so long after it was asked for.
            Exception: whatever asking raised.
        """
        with self._lock:
            if self._answer is None or (self._answer.done() and monotonic() - self._asked_at >= self._fresh_seconds):
                asked: Future[T] = Future()
                threading.Thread(target=self._run, args=(asked,), name=self._name, daemon=True).start()
                self._answer, self._asked_at = asked, monotonic()
            answer, left = self._answer, self._asked_at + wait_seconds - monotonic()
        return answer.result(max(0.0, left))

    def _run(self, answer: Future[T]) -> None:
        try:
            answer.set_result(self._ask())
        except Exception as error:  # noqa: BLE001 - whoever waits hears of it
            answer.set_exception(error)
        finally:
            connection.close()
