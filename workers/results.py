"""How a worker answers a batch: Celery's own rpc result message, on the worker's own connection.

Celery's rpc backend takes a producer from a pool and makes sure of its connection for every result: half a millisecond.
"""

from __future__ import annotations

from typing import Any

from celery.backends.rpc import RPCBackend

from workers.worker import this_worker


class ResultBackend(RPCBackend):
    """Celery's rpc backend, but for how a worker's results are sent."""

    def store_result(
        self, task_id: str, result: Any, state: str, traceback: Any = None, request: Any = None, **_: Any
    ) -> Any:
        """Send a task's outcome to who asked for it.

        Raises:
            kombu.exceptions.OperationalError: the broker was away for too long.
        """
        queue, correlation_id = self.destination_for(task_id, request)
        if queue:
            message = self._to_result(task_id, state, result, traceback, request)  # type: ignore[attr-defined]  # not in the stubs
            this_worker().sender.send(message, queue, correlation_id)
        return result
