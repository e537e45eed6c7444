"""The threads that batches run in: those that compute, and room beside them for others that wait for their network."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from celery.concurrency.thread import TaskPool

#: How many batches a worker takes at most while networks are loaded; `workers.consuming.prefetch` holds it.
BATCHES_MAX = 32


class Pool(TaskPool):
    """Celery's pool with a thread for every batch that the worker takes; its limit is how many of them compute."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # What is on its way when the room is full comes on top. Threads start when they are needed.
        self.executor = ThreadPoolExecutor(BATCHES_MAX + 2 * self.limit, thread_name_prefix="batch")
