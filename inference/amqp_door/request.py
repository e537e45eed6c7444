"""What a message asks for, if whoever sent it may ask."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from kombu.message import Message

from inference.amqp_door.asked import Asked, read_asked
from inference.amqp_door.message_asks import MessageAsks
from inference.amqp_door.names import DOOR
from inference.amqp_door.task_message import read_arguments
from inference.amqp_door.waiting_time import read_seconds
from inference.errors import TooLargeError
from inference.http.admit import admit
from inference.http.observed import identify


def read_request(message: Message, task_id: str) -> Asked:
    """What is to be predicted; the message is left without its body, and the request has the task's id.

    A message is refused as early as can be, and unread.

    Raises:
        RefusedError: it is no task that can be read.
        InferenceError: it may not be asked now, or by its sender, or asks for what there is not.
    """
    identify({b"x-request-id": task_id.encode()})
    headers, properties = message.headers, message.properties
    admit(MessageAsks(headers), DOOR)
    content: Any = message.body
    message.body = None
    most = settings.PIPELINE_MAX_BODY_BYTES
    if len(content) > most:
        raise TooLargeError(f"the message has {len(content)} bytes; this gateway takes {most}")
    arguments = read_arguments(headers, message.content_type, content)
    return read_asked(arguments, read_seconds(properties, headers, datetime.now(UTC)))
