"""What every gateway process is told over the broker, unasked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workers.message import Message, require
from workers.protocol import VersionRef

#: The header of a message to every gateway process that is news, no question; it says of what kind.
NEWS_HEADER = "news"
QUARANTINED_NEWS = "quarantined"


@dataclass(frozen=True, slots=True)
class Quarantined(Message):
    """News to every gateway process: a batch of this version, sent by the one with that reply queue, killed workers."""

    version: VersionRef
    reply_to: str

    def __post_init__(self) -> None:
        if isinstance(self.version, Mapping):
            object.__setattr__(self, "version", VersionRef.from_json(self.version))
        require(isinstance(self.version, VersionRef), "version must be an object")
        require(isinstance(self.reply_to, str), "reply_to must be text")
