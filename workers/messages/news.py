"""What every gateway process is told over the broker, unasked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workers.messages.message import Message, require
from workers.messages.protocol import VersionRef

#: The header of a message to every gateway process that is news, no question; it says of what kind.
NEWS_HEADER = "news"
QUARANTINED_NEWS = "quarantined"


@dataclass(frozen=True, slots=True)
class Quarantined(Message):
    """News to every gateway process: a batch of this version, sent by the one with that reply queue, killed workers.

    The batch is named, so that the same news, sent again, counts once.
    """

    version: VersionRef
    reply_to: str
    batch_id: str

    def __post_init__(self) -> None:
        if isinstance(self.version, Mapping):
            object.__setattr__(self, "version", VersionRef.from_json(self.version))
        require(isinstance(self.version, VersionRef), "version must be an object")
        require(isinstance(self.reply_to, str), "reply_to must be text")
        require(isinstance(self.batch_id, str), "batch_id must be text")
