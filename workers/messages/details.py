"""What a worker tells of its process beside how its requests fared: programs, memory, and what it has loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from workers.messages.message import Message, is_count, require

#: What a worker tells the versions of.
PROGRAMS = frozenset({"pipeline", "python", "keras", "tensorflow"})
PROGRAM_CHARACTERS_MAX = 64
#: A status message names no more loaded versions, the last used ones.
LOADED_MAX = 200


@dataclass(frozen=True, slots=True)
class LoadedWeights:
    """A version in a worker's memory: the network, the digest of its weights, and what it is counted with."""

    nn_id: str
    digest: str
    size_bytes: int

    def __post_init__(self) -> None:
        require(isinstance(self.nn_id, str) and isinstance(self.digest, str), "nn_id and digest must be text")
        require(is_count(self.size_bytes), "size_bytes must be a count")


@dataclass(frozen=True, slots=True)
class WorkerDetails(Message):
    """A worker's programs by name, its memory in bytes (of the process, and of the networks in it), what is loaded."""

    programs: dict[str, str]
    memory_bytes: int
    networks_bytes: int
    networks_bytes_max: int
    loaded_count: int
    loaded: list[LoadedWeights] = field(default_factory=list)

    def __post_init__(self) -> None:
        programs = self.programs
        require(isinstance(programs, dict) and programs.keys() == PROGRAMS, "programs")
        texts = programs.values()
        require(all(isinstance(text, str) and len(text) <= PROGRAM_CHARACTERS_MAX for text in texts), "programs")
        sizes = (self.memory_bytes, self.networks_bytes, self.networks_bytes_max, self.loaded_count)
        require(all(map(is_count, sizes)), "sizes must be counts")
        require(isinstance(self.loaded, list) and len(self.loaded) <= LOADED_MAX, "loaded must be a list")
        object.__setattr__(self, "loaded", [_loaded(each) for each in self.loaded])

    @classmethod
    def of(
        cls,
        programs: Mapping[str, str],
        memory_bytes: int,
        networks_bytes: int,
        networks_bytes_max: int,
        loaded: list[LoadedWeights],
    ) -> Self:
        """The details, of what is loaded so many as a message names."""
        newest = loaded[-LOADED_MAX:]
        return cls(dict(programs), memory_bytes, networks_bytes, networks_bytes_max, len(loaded), newest)


def _loaded(each: Any) -> LoadedWeights:
    if isinstance(each, LoadedWeights):
        return each
    require(isinstance(each, dict) and each.keys() >= {"nn_id", "digest", "size_bytes"}, "loaded")
    return LoadedWeights(each["nn_id"], each["digest"], each["size_bytes"])
