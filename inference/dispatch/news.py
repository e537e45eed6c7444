"""What the gateway processes tell one another about versions.

It says what to ask the database for anew, never what is active: recorded and sent again, it makes nothing old active.
"""

from __future__ import annotations

from dataclasses import dataclass

from workers.messages.message import Message, is_count, require
from workers.messages.protocol import is_nn_id

SWITCHED_NEWS = "switched"
DELETED_NEWS = "deleted"


@dataclass(frozen=True, slots=True)
class Switched(Message):
    """Another version of a network is active, and the network may be the default one now."""

    nn_id: str

    def __post_init__(self) -> None:
        require(is_nn_id(self.nn_id), "nn_id must be 32 lower-case hex digits")


@dataclass(frozen=True, slots=True)
class Deleted(Message):
    """A version's weights are gone."""

    nn_id: str
    number: int

    def __post_init__(self) -> None:
        require(is_nn_id(self.nn_id), "nn_id must be 32 lower-case hex digits")
        require(is_count(self.number), "number must be a number")
