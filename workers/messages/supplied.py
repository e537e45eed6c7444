"""What workers ask gateways for over the queue `supply`, and what they get: files in chunks, and what is active."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from workers.messages.message import Message, ProtocolError, is_count, require
from workers.messages.protocol import VersionRef, is_digest

CHUNK_BYTES = 4 * 1024 * 1024
CHUNK_CONTENT_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class FileRequest(Message):
    """A worker's request for one chunk of the file that `digest` names."""

    digest: str
    offset: int

    def __post_init__(self) -> None:
        require(is_digest(self.digest), "digest must be SHA-256 in hex")
        require(is_count(self.offset) and self.offset % CHUNK_BYTES == 0, "offset must be a whole chunk's")


@dataclass(frozen=True, slots=True)
class FileChunk:
    """One chunk of a file; `size` is the whole file's in bytes, and -1 says that no gateway has it.

    It travels as bare bytes with the size in a header, not as JSON: base64 would be a third more, and time.
    """

    size: int
    content: bytes

    def __post_init__(self) -> None:
        require(is_count(self.size) or self.size == -1, "size must be a count of bytes, or -1")
        require(isinstance(self.content, bytes), "content must be bytes")
        require(len(self.content) <= CHUNK_BYTES, f"a chunk has at most {CHUNK_BYTES} bytes")

    def headers(self) -> dict[str, Any]:
        """The message's headers; its body is the content."""
        return {"size": self.size}

    @classmethod
    def from_message(cls, content_type: object, headers: object, body: object) -> Self:
        """The chunk that a message holds.

        Raises:
            ProtocolError: the message is of another type, too long, or does not tell the size.
        """
        require(content_type == CHUNK_CONTENT_TYPE, f"FileChunk: the content type is {content_type!r}")
        require(isinstance(headers, Mapping) and "size" in headers, "FileChunk: the size is missing")
        # py-amqp has an empty text where there is no content at all.
        return cls(headers["size"], b"" if body == "" else body)  # type: ignore[index, arg-type]  # checked above, and by the class


@dataclass(frozen=True, slots=True)
class ActiveVersions(Message):
    """The active version of every network; the default network's stands first."""

    versions: tuple[VersionRef, ...]

    @classmethod
    def from_json(cls, data: object) -> Self:
        """The versions that a JSON object holds.

        Raises:
            ProtocolError: a field is missing or has a wrong type or value.
        """
        try:
            return cls(tuple(VersionRef.from_json(item) for item in data["versions"]))  # type: ignore[index]
        except (KeyError, TypeError) as error:
            raise ProtocolError(f"ActiveVersions: {error!r}") from error
