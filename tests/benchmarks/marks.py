"""Marks of the moments that a request passes, kept by each process in a file, for `tests.benchmarks.breakdown` only.

Started as a program, it is a Celery worker with marks; `tests.benchmarks.marked_settings` marks a gateway.
The clock is the machine's, the same in every process, so that marks of one request stand in one order.
"""

from __future__ import annotations

import atexit
import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic_ns
from typing import Any

#: The folder that the files go to.
FOLDER = "BENCHMARK_MARKS"

_noted: list[tuple[int, str]] = []


def _mark(owner: Any, function: str, name: str) -> None:
    """Have a function note when it begins and when it ends."""
    original = getattr(owner, function)

    @functools.wraps(original)
    def noting(*arguments: Any, **named: Any) -> Any:
        _noted.append((monotonic_ns(), f"{name} begins"))
        try:
            return original(*arguments, **named)
        finally:
            _noted.append((monotonic_ns(), f"{name} ends"))

    setattr(owner, function, noting)


def _keep() -> None:
    file = Path(os.environ[FOLDER]) / f"{os.getpid()}.marks"
    file.write_text("".join(f"{at} {name}\n" for at, name in _noted))


def mark_gateway() -> None:
    """The gateway's moments."""
    from inference.dispatch.batch import Batch
    from inference.dispatch.dispatcher import Dispatcher
    from inference.dispatch.publisher import Publisher
    from inference.http.views import Predict

    _mark(Predict, "post", "view")
    _mark(Dispatcher, "submit", "submit")
    _mark(Publisher, "send_batch", "publish")
    _mark(Batch, "resolve", "resolve")


def mark_worker() -> None:
    """The worker's moments."""
    from workers import tasks
    from workers.runtime.engine import Architecture

    _mark(tasks.predict, "run", "task")
    _mark(Architecture, "predict", "compute")


def keep_at_exit(mark: Callable[[], None]) -> None:
    """Mark, and write what was noted when the process ends; one that was forked meanwhile writes its own."""
    mark()
    atexit.register(_keep)


def run_worker() -> None:
    """`celery -A workers worker`, with marks."""
    from celery.__main__ import main

    keep_at_exit(mark_worker)
    sys.argv = ["celery", "-A", "workers", "worker", "--loglevel=INFO"]
    sys.exit(main())


if __name__ == "__main__":
    run_worker()
