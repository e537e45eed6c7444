"""Files in the database: bytes under their SHA-256, in chunks, so that every gateway host has them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import IO, TYPE_CHECKING

from django.db import transaction

from inference.errors import NotFoundError
from inference.models import FileChunk, StoredFile
from workers.messages.supplied import CHUNK_BYTES

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


@transaction.atomic
def store_files(*contents: bytes | IO[bytes]) -> list[StoredFile]:
    """The bytes of each as a stored file, a chunk in memory at a time; what is stored already is not stored again.

    A transaction stores all its files by one call, before it locks anything else. They are locked in one order,
    whatever they are for, so that no two transactions wait for each other; the largest first, so that nobody waits for
    an architecture while weights are stored.
    """
    opened = [io.BytesIO(content) if isinstance(content, bytes) else content for content in contents]
    measured = [_measure(file) for file in opened]
    stored: dict[str, StoredFile] = {}
    for (size, digest), file in sorted(zip(measured, opened, strict=True), key=lambda each: each[0], reverse=True):
        if digest not in stored:
            stored[digest] = _store_file(digest, size, file)
    return [stored[digest] for _, digest in measured]


def _measure(file: IO[bytes]) -> tuple[int, str]:
    checksum, size = hashlib.sha256(), 0
    for chunk in _chunks(file):
        checksum.update(chunk)
        size += len(chunk)
    return size, checksum.hexdigest()


def _store_file(digest: str, size: int, content: IO[bytes]) -> StoredFile:
    StoredFile.objects.get_or_create(digest=digest, defaults={"size": size})
    file = lock_file(digest)
    if not file.chunks.exists():
        offset = 0
        for chunk in _chunks(content):
            FileChunk.objects.create(file=file, offset=offset, content=chunk)
            offset += len(chunk)
    return file


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(CHUNK_BYTES):
        yield chunk


def lock_files(digests: Iterable[str]) -> list[StoredFile]:
    """Stored files' records, locked as `store_files` locks them: the largest first."""
    largest_first = StoredFile.objects.filter(digest__in=digests).order_by("-size", "-digest")
    return [lock_file(digest) for digest in largest_first.values_list("digest", flat=True)]


def lock_file(digest: str) -> StoredFile:
    """A stored file's record, locked until the transaction ends: storing its bytes and deleting them take turns."""
    return StoredFile.objects.select_for_update(no_key=True).get(digest=digest)


def file_chunk(digest: str, offset: int) -> tuple[int, bytes] | None:
    """The size of a stored file and its chunk at `offset`; None when there is no such file or chunk."""
    row = FileChunk.objects.filter(file_id=digest, offset=offset).values_list("file__size", "content").first()
    return (row[0], bytes(row[1])) if row else None


def whole_files(digests: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """The bytes of several small files by one query, one file after the other; of those that there are.

    All of them are in memory.
    """
    chunks = (
        FileChunk.objects.filter(file_id__in=digests).order_by("file_id", "offset").values_list("file_id", "content")
    )
    for digest, parts in groupby(chunks, key=itemgetter(0)):
        yield digest, b"".join(part for _, part in parts)


def whole_file(digest: str) -> bytes | None:
    """The bytes of a small file; None when they are not there."""
    return next((content for _, content in whole_files([digest])), None)


def open_file(file: StoredFile) -> io.BufferedReader:
    """A stored file's bytes as a file that is read and sought in; a few MiB of it are in memory at a time.

    Reading raises NotFoundError when the bytes have been deleted.
    """
    return io.BufferedReader(_StoredBytes(file))


def drop_bytes(file: StoredFile) -> None:
    """Delete the bytes of a file whose record is locked; the record stays."""
    file.chunks.all().delete()


class _StoredBytes(io.RawIOBase):
    """Reads chunk by chunk, one query each."""

    def __init__(self, file: StoredFile) -> None:
        self._digest, self._size = file.digest, file.size
        self._position = 0
        self._chunk = -1, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError(f"a file has no position {start + offset}")
        self._position = start + offset
        return self._position

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer with what the chunk at this position still has."""
        if self._position >= self._size:
            return 0
        within = self._position % CHUNK_BYTES
        wanted = memoryview(buffer).cast("B")
        part = self._chunk_at(self._position - within)[within : within + len(wanted)]
        wanted[: len(part)] = part
        self._position += len(part)
        return len(part)

    def _chunk_at(self, offset: int) -> bytes:
        if self._chunk[0] != offset:
            found = file_chunk(self._digest, offset)
            if found is None:
                raise NotFoundError(f"the bytes of {self._digest} have been deleted")
            self._chunk = offset, found[1]
        return self._chunk[1]
