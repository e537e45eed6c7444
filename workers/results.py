"""How a task's result is sent back: as Celery's rpc backend does, but what an error says has a bound.

An error may quote what was uploaded or asked for, and no message may be larger than RabbitMQ takes: a result that is
not taken would leave whoever asked without an answer.
"""

from __future__ import annotations

from typing import Any

from celery.backends.rpc import RPCBackend

from workers.message import TRACE_CHARACTERS_MAX, shorten


class ShortErrors(RPCBackend):
    """Celery's rpc backend; an error's trace is shortened, and its arguments when they are long."""

    def store_result(
        self, task_id: str, result: Any, state: str, traceback: Any = None, request: Any = None, **options: Any
    ) -> Any:
        """Send what a task returned or raised to whoever asked."""
        trace = None if traceback is None else shorten(str(traceback))
        return super().store_result(task_id, result, state, trace, request, **options)

    def prepare_exception(self, exc: Exception, serializer: str | None = None) -> Any:
        """The exception as it is sent; one with long arguments as if its text were its only one."""
        prepared = super().prepare_exception(exc, serializer)
        if len(str(prepared["exc_message"])) > TRACE_CHARACTERS_MAX:
            prepared["exc_message"] = [shorten(str(exc))]
        return prepared
