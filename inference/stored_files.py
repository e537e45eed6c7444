"""Files in the database: bytes under their SHA-256, in chunks, so that every gateway host has them."""

from __future__ import annotations

import hashlib

from inference.models import FileChunk, StoredFile
from workers.protocol import CHUNK_BYTES


def store_file(content: bytes) -> StoredFile:
    """The bytes as a stored file; what is stored already is not stored again."""
    file, created = StoredFile.objects.get_or_create(
        digest=hashlib.sha256(content).hexdigest(), defaults={"size": len(content)}
    )
    if created:
        FileChunk.objects.bulk_create(
            [
                FileChunk(file=file, offset=offset, content=content[offset : offset + CHUNK_BYTES])
                for offset in range(0, len(content), CHUNK_BYTES)
            ],
            batch_size=1,
        )
    return file


def file_chunk(digest: str, offset: int) -> tuple[int, bytes] | None:
    """The size of a stored file and its chunk at `offset`; None when there is no such file or chunk."""
    row = FileChunk.objects.filter(file_id=digest, offset=offset).values_list("file__size", "content").first()
    return (row[0], bytes(row[1])) if row else None
