"""A worker in a thread of the gateway's process: the embedded form."""

from __future__ import annotations

import threading
from typing import Any

from celery.worker import WorkController
from celery.worker import state as worker_state

from workers.celery import app


class EmbeddedWorker:
    """Owns the worker's thread; the worker is the same as in a process of its own."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    def start(self) -> None:
        """Start the worker and return at once; TensorFlow takes some seconds to load."""
        # Celery's pool threads look the current application up: without this they find none and never answer.
        app.finalize()
        app.set_default()
        self._thread.start()

    def stop(self, timeout_seconds: float = 10.0) -> None:
        """Let the worker finish what it has taken, and end it."""
        setattr(worker_state, "should_stop", 0)  # noqa: B010 - the types know only its first value, None
        self._thread.join(timeout_seconds)

    def wait_ready(self, timeout_seconds: float) -> bool:
        """Whether the worker takes batches, waited for."""
        return self._ready.wait(timeout_seconds)

    def _mark_ready(self, consumer: Any) -> None:
        self._ready.set()

    def _run(self) -> None:
        # Celery's signal `worker_ready` is that of a worker with a process of its own.
        WorkController(app=app, hostname="worker@embedded", ready_callback=self._mark_ready).start()
