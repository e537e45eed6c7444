"""Threads for what waits for the database, or for workers to load: the event loop waits for neither."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from django.db import close_old_connections

T = TypeVar("T")


class Beside:
    """Owns them. A thread's connection to the database is closed as Django closes it when a request ends."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, "grpc")

    async def __call__(self, work: Callable[[], T]) -> T:
        """What the work comes to, done in a thread, for the same request."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, copy_context().run, _done, work)

    def close(self) -> None:
        """Begin no more work."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _done(work: Callable[[], T]) -> T:
    close_old_connections()
    try:
        return work()
    finally:
        close_old_connections()
