"""The channel of every connection to RabbitMQ: signs what is published, and refuses what must not be read.

A refused message reaches a consumer's `on_decode_error` and nothing else. It is judged before kombu decompresses it,
and one that is larger than any of ours is thrown away piece by piece as it arrives.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from struct import unpack_from
from typing import Any

from amqp.method_framing import frame_handler
from kombu.transport import pyamqp

from workers.protocol import MESSAGE_BYTES_MAX
from workers.refusals import RefusedError, refusals
from workers.signing import SIGNATURE, message_keys, refuse_signed

#: AMQP's kinds of frames, and where a header frame says how long the body is.
_HEADER_FRAME, _BODY_FRAME = 2, 3
_SIZE_FIRST, _SIZE_LAST = 4, 12

Frame = tuple[int, int, bytes]


class Message(pyamqp.Message):
    """A message as it arrived, or the reason why it is refused."""

    def __init__(self, msg: Any, channel: Any = None, **options: Any) -> None:
        try:
            _judge(msg, channel)
        except RefusedError as error:
            refusals.add(error, msg.delivery_info)
            self.errors = [sys.exc_info()]
            msg.body = b""
        super().__init__(msg, channel=channel, **options)


class Channel(pyamqp.Channel):
    """A channel that signs and verifies when there is a key."""

    Message = Message

    def _basic_publish(
        self, msg: Any, exchange: str = "", routing_key: str = "", *arguments: Any, **options: Any
    ) -> Any:
        keys = message_keys()
        if keys is not None:
            if isinstance(msg.body, str):
                msg.body = msg.body.encode(msg.properties.setdefault("content_encoding", "utf-8"))
            signature = keys.sign(msg.body, exchange, routing_key, msg.properties)
            headers = msg.properties.get("application_headers") or {}
            msg.properties["application_headers"] = {**headers, SIGNATURE: signature}
        return super()._basic_publish(msg, exchange, routing_key, *arguments, **options)  # type: ignore[misc]  # amqp's

    # py-amqp has it under two names, and calls the other one to have a message confirmed.
    basic_publish = _basic_publish


def _judge(msg: Any, channel: Any) -> None:
    """Raises RefusedError for a message that must not be read."""
    size = channel.connection.too_large.pop(channel.channel_id, None)
    if size is not None:
        raise RefusedError(f"it has {size} bytes; {MESSAGE_BYTES_MAX} is the most that is taken")
    if (msg.properties.get("application_headers") or {}).get("compression") is not None:
        raise RefusedError("it is compressed, and may become any size; none of Pipeline's is")
    keys = message_keys()
    if keys is None:
        refuse_signed(msg.properties)
        return
    place = msg.delivery_info
    body = msg.body.encode() if isinstance(msg.body, str) else bytes(msg.body)
    keys.verify(body, place["exchange"], place["routing_key"], msg.properties)


def bounded_frames(connection: Any, callback: Callable[..., None]) -> Callable[[Frame], bool]:
    """py-amqp's reader of frames; of a message that is too large it sees no body, and the connection notes its size."""
    handle = frame_handler(connection, callback)
    left: dict[int, int] = {}

    def on_frame(frame: Frame) -> bool:
        kind, channel, payload = frame
        if kind == _HEADER_FRAME:
            left.pop(channel, None)  # of a channel that was closed within a message
            size = unpack_from(">Q", payload, _SIZE_FIRST)[0]
            if size > MESSAGE_BYTES_MAX:
                left[channel] = connection.too_large[channel] = size
                frame = kind, channel, payload[:_SIZE_FIRST] + bytes(_SIZE_LAST - _SIZE_FIRST) + payload[_SIZE_LAST:]
        elif kind == _BODY_FRAME and channel in left:
            connection.bytes_recv += 1  # its heartbeats count what arrives
            left[channel] -= len(payload)
            if left[channel] <= 0:
                del left[channel]
            return False
        return bool(handle(frame))

    return on_frame
