"""How a worker answers a batch: Celery's own rpc result message, on the worker's own connection, and of bounded length.

Celery's rpc backend takes a producer from a pool and makes sure of its connection for every result: half a millisecond.
An error may quote what was uploaded or asked for, and no message may be larger than RabbitMQ takes: a result that is
not taken would leave whoever asked without an answer.
"""

from __future__ import annotations

from typing import Any

from celery.backends.rpc import RPCBackend
from celery.states import SUCCESS

from workers.consuming.celery_side import celery_side
from workers.messages.message import TRACE_CHARACTERS_MAX, shorten


class ResultBackend(RPCBackend):
    """Celery's rpc backend, but for how a worker's results are sent; an error's trace and arguments are shortened."""

    def store_result(
        self, task_id: str, result: Any, state: str, traceback: Any = None, request: Any = None, **_: Any
    ) -> Any:
        """Send a task's outcome to who asked for it.

        Raises:
            kombu.exceptions.OperationalError: the broker was away for too long.
        """
        queue, correlation_id = self.destination_for(task_id, request)
        if queue:
            trace = None if traceback is None else shorten(str(traceback))
            message = self._to_result(task_id, state, result, trace, request)  # type: ignore[attr-defined]  # not in the stubs
            side = celery_side()
            if state == SUCCESS:
                side.sender.send_packed(message, queue, correlation_id)
            else:
                message["worker"] = side.name  # what an answer names by itself
                side.sender.send(message, queue, correlation_id)
        return result

    def prepare_exception(self, exc: Exception, serializer: str | None = None) -> Any:
        """The exception as it is sent; one with long arguments as if its text were its only one."""
        prepared = super().prepare_exception(exc, serializer)
        if len(str(prepared["exc_message"])) > TRACE_CHARACTERS_MAX:
            prepared["exc_message"] = [shorten(str(exc))]
        return prepared
