"""Files in the database, in chunks."""

from __future__ import annotations

import hashlib
import os
import tracemalloc
from io import SEEK_END, BufferedReader, BytesIO
from tempfile import TemporaryFile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.errors import NotFoundError
from inference.models import FileChunk
from inference.versions import stored_files
from inference.versions.stored_files import drop_bytes, file_chunk, open_file, store_files
from workers.messages.supplied import CHUNK_BYTES

pytestmark = pytest.mark.django_db


def stored_bytes(digest: str) -> bytes:
    return b"".join(bytes(chunk.content) for chunk in FileChunk.objects.filter(file_id=digest).order_by("offset"))


@pytest.mark.parametrize("size", [1, 3, 4, 5, 8, 11])
def test_a_file_is_stored_in_chunks_that_make_it_up(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_files, "CHUNK_BYTES", 4)
    content = bytes(range(size))

    [file] = store_files(content)

    offsets = list(FileChunk.objects.filter(file=file).order_by("offset").values_list("offset", flat=True))
    assert offsets == list(range(0, size, 4))
    assert stored_bytes(file.digest) == content
    assert file.size == size


def test_an_open_file_is_stored_from_its_beginning_and_only_once() -> None:
    content = os.urandom(2 * CHUNK_BYTES + 3)
    opened = BytesIO(content)
    opened.seek(7)

    [first], [second] = store_files(opened), store_files(content)

    assert first == second
    assert (first.digest, first.size) == (hashlib.sha256(content).hexdigest(), len(content))
    assert stored_bytes(first.digest) == content


def test_several_files_are_stored_at_once_and_the_same_bytes_once() -> None:
    small, large = b"small", os.urandom(CHUNK_BYTES + 1)

    files = store_files(small, BytesIO(large), BytesIO(small))

    assert [stored_bytes(file.digest) for file in files] == [small, large, small]
    assert FileChunk.objects.count() == 3


def test_a_large_file_is_stored_in_little_memory() -> None:
    with TemporaryFile() as file:
        file.truncate(64 * 1024**2)
        tracemalloc.start()
        try:
            [stored] = store_files(file)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert stored.size == 64 * 1024**2
    assert peak < 10 * CHUNK_BYTES, f"{peak / 1024**2:.1f} MiB"


def test_a_file_is_found_chunk_by_chunk() -> None:
    content = b"7" * CHUNK_BYTES + b"end"
    [file] = store_files(content)

    assert file_chunk(file.digest, 0) == (len(content), content[:CHUNK_BYTES])
    assert file_chunk(file.digest, CHUNK_BYTES) == (len(content), b"end")
    assert file_chunk(file.digest, 2 * CHUNK_BYTES) is None
    assert file_chunk("0" * 64, 0) is None


def test_a_file_whose_bytes_were_dropped_is_stored_again() -> None:
    [file] = store_files(b"content")

    drop_bytes(file)
    assert file_chunk(file.digest, 0) is None
    store_files(b"content")

    assert stored_bytes(file.digest) == b"content"


CONTENT = bytes(range(11))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> BufferedReader:
    """Eleven bytes in chunks of four, opened."""
    monkeypatch.setattr(stored_files, "CHUNK_BYTES", 4)
    return open_file(*store_files(CONTENT))


@given(steps=st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15))))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_opened_file_reads_as_its_bytes_do(steps: list[tuple[int, int]], opened: BufferedReader) -> None:
    expected = BytesIO(CONTENT)
    for position, size in steps:
        assert opened.seek(position) == expected.seek(position)
        assert opened.read(size) == expected.read(size)
        assert opened.tell() == expected.tell()


def test_an_opened_file_is_sought_in_from_its_end_and_not_before_its_start(opened: BufferedReader) -> None:
    assert opened.seek(-3, SEEK_END) == 8
    assert opened.read() == CONTENT[8:]
    with pytest.raises(ValueError, match="no position -1"):
        opened.raw.seek(-1)


def test_reading_what_is_deleted_meanwhile_fails(opened: BufferedReader) -> None:
    FileChunk.objects.filter(offset__gt=0).delete()

    with pytest.raises(NotFoundError, match="have been deleted"):
        opened.read()
