"""What the gateway processes tell one another about versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workers.message import Message, is_count, require
from workers.protocol import VersionRef, is_nn_id

SWITCHED_NEWS = "switched"
DELETED_NEWS = "deleted"


@dataclass(frozen=True, slots=True)
class Switched(Message):
    """A version has become active: the number of the one before, and the default network before and since."""

    version: VersionRef
    previous: int | None
    default: str | None
    previous_default: str | None

    def __post_init__(self) -> None:
        if isinstance(self.version, Mapping):
            object.__setattr__(self, "version", VersionRef.from_json(self.version))
        require(isinstance(self.version, VersionRef), "version must be an object")
        require(self.previous is None or is_count(self.previous), "previous must be a number")
        networks = (self.default, self.previous_default)
        require(all(each is None or is_nn_id(each) for each in networks), "default must be a network")


@dataclass(frozen=True, slots=True)
class Deleted(Message):
    """A version's weights are gone."""

    nn_id: str
    number: int

    def __post_init__(self) -> None:
        require(is_nn_id(self.nn_id), "nn_id must be 32 lower-case hex digits")
        require(is_count(self.number), "number must be a number")
