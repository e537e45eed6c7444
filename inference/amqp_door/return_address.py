"""Where a message's answer goes: to the queue that it names, or to the one that its client will look into."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workers.messages.message import storable

#: No other id names a queue to declare: RabbitMQ refuses some names, and ours are taken.
_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class ReturnAddress:
    """The queue; `polled` when it may have to be declared, as Celery's clients did before they had `reply_to`."""

    queue: str
    task_id: str
    correlation_id: str
    polled: bool = False


def read_return_address(properties: Mapping[str, Any], headers: Mapping[str, Any]) -> ReturnAddress | None:
    """Where the message says to, as far as it can be read; None when it names nothing."""
    correlation_id, reply_to = _text(properties.get("correlation_id")), _text(properties.get("reply_to"))
    task_id = _text(headers.get("id")) or correlation_id
    if reply_to:
        return ReturnAddress(reply_to, task_id, correlation_id or task_id)
    if _UUID.fullmatch(task_id):
        return ReturnAddress(task_id.replace("-", ""), task_id, correlation_id or task_id, polled=True)
    return None


def _text(value: Any) -> str:
    """A text that JSON can hold: of AMQP's, not all are Unicode."""
    return value if isinstance(value, str) and storable(value) == value else ""
