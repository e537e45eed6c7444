"""How weights files are named: `<nn_id>_<crc32 of the decoded bytes>.b64`."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

_NAME = re.compile(r"([0-9a-f]{32})_([0-9a-f]{8})\.b64")


@dataclass(frozen=True)
class WeightsName:
    """A weights file's name: which network it is for, and the checksum of what it decodes to."""

    nn_id: str
    crc32: int

    @classmethod
    def parse(cls, name: str) -> WeightsName | None:
        """The parts of a file's name; None when it does not have this form."""
        match = _NAME.fullmatch(name)
        return cls(match[1], int(match[2], 16)) if match else None

    @classmethod
    def of(cls, nn_id: str, decoded: bytes) -> WeightsName:
        """The name for a network's weights."""
        return cls(nn_id, zlib.crc32(decoded))

    def __str__(self) -> str:
        return f"{self.nn_id}_{self.crc32:08x}.b64"
