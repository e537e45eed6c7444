"""Files in the database: bytes under their SHA-256, in chunks, so that every gateway host has them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from typing import IO

from django.db import transaction

from inference.models import FileChunk, StoredFile
from workers.protocol import CHUNK_BYTES


@transaction.atomic
def store_file(content: bytes | IO[bytes]) -> StoredFile:
    """The bytes as a stored file; what is stored already is not stored again. No two chunks are in memory at once."""
    opened = io.BytesIO(content) if isinstance(content, bytes) else content
    checksum, size = hashlib.sha256(), 0
    for chunk in _chunks(opened):
        checksum.update(chunk)
        size += len(chunk)
    file, created = StoredFile.objects.get_or_create(digest=checksum.hexdigest(), defaults={"size": size})
    if created:
        offset = 0
        for chunk in _chunks(opened):
            FileChunk.objects.create(file=file, offset=offset, content=chunk)
            offset += len(chunk)
    return file


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(CHUNK_BYTES):
        yield chunk


def file_chunk(digest: str, offset: int) -> tuple[int, bytes] | None:
    """The size of a stored file and its chunk at `offset`; None when there is no such file or chunk."""
    row = FileChunk.objects.filter(file_id=digest, offset=offset).values_list("file__size", "content").first()
    return (row[0], bytes(row[1])) if row else None
