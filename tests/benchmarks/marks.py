"""Marks of the moments that a request passes, kept by each process in a file, for `tests.benchmarks.breakdown` only.

Started as a program, it is a Celery worker with marks; `tests.benchmarks.marked_settings` marks a gateway.
The clock is the machine's, the same in every process, so that marks of one request stand in one order.
"""

from __future__ import annotations

import atexit
import functools
import inspect
import os
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from time import monotonic_ns
from typing import Any

#: The folder that the files go to.
FOLDER = "BENCHMARK_MARKS"
#: What is marked in a gateway: its name, the module, and the function or method there, on a lone request's way.
GATEWAY = (
    ("protocol", "gateway_site.http_protocol", "ClientConnection.data_received"),
    ("door", "inference.http.doors", "identify"),
    ("read", "inference.http.predict_door", "read_predict_input"),
    ("submit", "inference.dispatch.dispatcher", "Dispatcher.predict"),
    ("hand-over", "inference.dispatch.sender", "Sender.send"),
    ("sender", "inference.dispatch.sender", "Sender._send"),
    ("publish", "inference.dispatch.publisher", "Publisher.send_batch"),
    ("reply", "inference.dispatch.dispatcher", "Dispatcher._receive"),
    ("resolve", "inference.dispatch.batch", "Batch.finish"),
    ("write", "inference.http.doors", "Doors._answer_at_once"),
)
WORKER = (
    ("task", "workers.tasks", "predict.run"),
    ("compute", "workers.runtime.engine", "Architecture.predict"),
)

#: Nanoseconds and a name, in their order.
noted: list[tuple[int, str]] = []


def mark(name: str, module: str, function: str) -> None:
    """Have a function, plain or async, note when it begins and when it ends."""
    owner: Any = import_module(module)
    *holders, own_name = function.split(".")
    for holder in holders:
        owner = getattr(owner, holder)
    setattr(owner, own_name, noting(name, getattr(owner, own_name)))


def noting(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """The function, of its own kind, with its notes."""

    @functools.wraps(original)
    def call(*arguments: Any, **named: Any) -> Any:
        noted.append((monotonic_ns(), f"{name} begins"))
        try:
            return original(*arguments, **named)
        finally:
            noted.append((monotonic_ns(), f"{name} ends"))

    @functools.wraps(original)
    async def call_and_wait(*arguments: Any, **named: Any) -> Any:
        noted.append((monotonic_ns(), f"{name} begins"))
        try:
            return await original(*arguments, **named)
        finally:
            noted.append((monotonic_ns(), f"{name} ends"))

    return call_and_wait if inspect.iscoroutinefunction(original) else call


def _keep() -> None:
    file = Path(os.environ[FOLDER]) / f"{os.getpid()}.marks"
    file.write_text("".join(f"{at} {name}\n" for at, name in noted))


def keep_at_exit(marked: Iterable[tuple[str, str, str]]) -> None:
    """Mark, and write what was noted when the process ends; one that was forked meanwhile writes its own."""
    for each in marked:
        mark(*each)
    atexit.register(_keep)


def run_worker() -> None:
    """`celery -A workers worker`, with marks."""
    from celery.__main__ import main

    keep_at_exit(WORKER)
    sys.argv = ["celery", "-A", "workers", "worker", "--loglevel=INFO"]
    sys.exit(main())


if __name__ == "__main__":
    run_worker()
