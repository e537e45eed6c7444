"""A channel without a connection."""

from __future__ import annotations

from types import SimpleNamespace

from workers.broker.channel import Channel


class Published(Channel):
    """A channel that goes nowhere; what it would have sent is in `sent`."""

    def __init__(self) -> None:
        self.connection = SimpleNamespace(too_large={})
        self.channel_id = 1
