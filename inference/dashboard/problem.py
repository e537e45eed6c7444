"""One thing that is not well: how bad it is, what it is, what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """How bad it is, the worst last."""

    OK = 0
    #: Something has to be done before predictions can be made at all, and nothing has failed.
    START = 1
    WARN = 2
    BAD = 3


@dataclass(frozen=True)
class Problem:
    """One thing that is not well; `address` is the page that tells more."""

    name: str
    level: Level
    what: str
    to_do: str
    address: str = ""
    link: str = ""

    @property
    def severity(self) -> str:
        """The level as the page's classes have it."""
        return self.level.name.lower()
