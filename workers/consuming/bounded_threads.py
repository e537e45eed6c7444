"""Threads for what the caller cannot wait for; what waits for one of them is bounded."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from workers.messages.refusals import RefusedError, refusals

#: What waits for a thread, or has one, at most: a gateway asks again for what is left out, a stranger may not fill the
#: memory.
WAITING_MAX = 256


class BoundedThreads:
    """Some threads of one name."""

    def __init__(self, threads: int, name: str) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._waiting = threading.BoundedSemaphore(WAITING_MAX)

    def call(self, act: Callable[..., None], *arguments: Any) -> None:
        """Have `act` called in one of the threads, unless too much waits for one; then that is counted as refused."""
        if not self._waiting.acquire(blocking=False):
            refusals.add(RefusedError(f"{WAITING_MAX} others wait for a thread"))
            return

        def act_and_make_room() -> None:
            try:
                act(*arguments)
            finally:
                self._waiting.release()

        try:
            self._threads.submit(act_and_make_room)
        except RuntimeError:  # they have been stopped: this process ends
            self._waiting.release()

    def stop(self, wait: bool = False) -> None:
        """End the threads after what they do now, or with `wait` after all that waits for them."""
        self._threads.shutdown(wait=wait, cancel_futures=not wait)
