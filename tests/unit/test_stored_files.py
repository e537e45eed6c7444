"""Files in the database, in chunks."""

from __future__ import annotations

import pytest

from inference import stored_files
from inference.models import FileChunk
from inference.stored_files import file_chunk, store_file
from workers.protocol import CHUNK_BYTES

pytestmark = pytest.mark.django_db


def stored_bytes(digest: str) -> bytes:
    return b"".join(bytes(chunk.content) for chunk in FileChunk.objects.filter(file_id=digest).order_by("offset"))


@pytest.mark.parametrize("size", [1, 3, 4, 5, 8, 11])
def test_a_file_is_stored_in_chunks_that_make_it_up(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_files, "CHUNK_BYTES", 4)
    content = bytes(range(size))

    file = store_file(content)

    offsets = list(FileChunk.objects.filter(file=file).order_by("offset").values_list("offset", flat=True))
    assert offsets == list(range(0, size, 4))
    assert stored_bytes(file.digest) == content
    assert file.size == size


def test_a_file_is_found_chunk_by_chunk() -> None:
    content = b"7" * CHUNK_BYTES + b"end"
    file = store_file(content)

    assert file_chunk(file.digest, 0) == (len(content), content[:CHUNK_BYTES])
    assert file_chunk(file.digest, CHUNK_BYTES) == (len(content), b"end")
    assert file_chunk(file.digest, 2 * CHUNK_BYTES) is None
    assert file_chunk("0" * 64, 0) is None
