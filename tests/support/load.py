"""Many clients at once, each checking its own answers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

#: Longer than any request may take: a client that never returns fails its test instead of hanging it.
JOIN_SECONDS = 120.0


def at_once(count: int, act: Callable[[int], T]) -> list[T]:
    """What `act(0)` … `act(count - 1)` return, all called in the same instant, each in a thread of its own."""
    barrier = threading.Barrier(count)

    def wait_and_act(number: int) -> T:
        barrier.wait(JOIN_SECONDS)
        return act(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(wait_and_act, range(count), timeout=JOIN_SECONDS))
