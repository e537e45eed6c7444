"""Uploads on their way in: in files that have no name, decoded piece by piece, refused when they break off."""

from __future__ import annotations

import base64
import errno
import io
import resource
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest
from django.core.exceptions import RequestDataTooBig
from django.http import UnreadablePostError
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from pytest_django.fixtures import Settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import DataAndFiles
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from inference.client.multipart import MultipartForm
from inference.errors import DiskFullError
from inference.http.bodies import upload_files
from inference.http.bodies.upload_files import (
    IN_MEMORY_BYTES,
    SpoolingHandler,
    UploadParser,
    decoded,
    open_spool,
    write_piece,
)
from tests.support.archives import archive

MEGABYTE = 1024**2
FILES = {
    "hdf5": b"\x89HDF\r\n\x1a\n" + bytes(100),
    "keras": archive({"config.json": b"{}", "model.weights.h5": b"weights"}),
    "torch": archive({"net/data.pkl": b"pickle", "net/data/0": b"numbers"}),
    "safetensors": (2).to_bytes(8, "little") + b"{}" + bytes(100),
}


class Zeros(io.RawIOBase):
    """A file of so many bytes that are zeros behind an HDF5 signature, or their base64 text."""

    def __init__(self, size: int, byte: bytes) -> None:
        self._size, self._byte, self._position = size, byte, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._position = offset + (0, self._position, self._size)[whence]
        return self._position

    def tell(self) -> int:
        return self._position

    def read(self, size: int = -1) -> bytes:
        left = self._size - self._position
        size = left if size < 0 else min(size, left)
        self._position += size
        return self._byte * size


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.PIPELINE_DATA_DIR = tmp_path
    return tmp_path / "uploads"


@contextmanager
def most_memory(megabytes: float) -> Iterator[None]:
    """Fails when Python objects take more than so much beyond what they take now."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < megabytes * MEGABYTE, f"{peak / MEGABYTE:.1f} MiB"


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_a_weights_file_is_the_upload_itself(content: bytes) -> None:
    upload = io.BytesIO(content)

    with decoded(upload) as file:
        assert file is upload


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_base64_text_is_decoded_to_a_file_of_its_own(content: bytes) -> None:
    with decoded(io.BytesIO(base64.encodebytes(content))) as file:
        file.seek(0)
        assert file.read() == content
    assert file.closed


def test_a_large_upload_is_decoded_in_little_memory(folder: Path) -> None:
    with most_memory(8), decoded(Zeros(64 * MEGABYTE, b"A")) as file:
        assert file.seek(0, io.SEEK_END) == 48 * MEGABYTE
        assert list(folder.iterdir()) == []  # it has no name


def parse(body: Any, length: int, content_type: str = MULTIPART_CONTENT) -> DataAndFiles[Any, Any]:
    made = APIRequestFactory().put("/set_weights", b"", content_type=content_type)
    made.META["CONTENT_LENGTH"] = str(length)
    return UploadParser().parse(body, content_type, {"request": Request(made)})


def form(content: bytes) -> bytes:
    file = io.BytesIO(content)
    file.name = "w.h5"
    return bytes(encode_multipart(BOUNDARY, {"nn_id": "x", "data": file}))


@pytest.mark.parametrize("size", [0, 1, IN_MEMORY_BYTES, IN_MEMORY_BYTES + 1, 5 * IN_MEMORY_BYTES])
def test_a_form_is_read_whole(size: int, folder: Path) -> None:
    body = form(b"7" * size)

    parsed = parse(io.BytesIO(body), len(body))

    assert parsed.data["nn_id"] == "x"
    assert (parsed.files["data"].name, parsed.files["data"].size) == ("w.h5", size)
    assert parsed.files["data"].read() == b"7" * size
    assert list(folder.iterdir()) == []
    parsed.files["data"].close()


def test_a_large_form_is_read_in_little_memory() -> None:
    body = MultipartForm({"nn_id": "x"}, "data", "w.h5", Zeros(64 * MEGABYTE, b"\0"))

    with most_memory(8):
        parsed = parse(body, len(body), body.content_type)
    assert parsed.files["data"].size == 64 * MEGABYTE
    parsed.files["data"].close()


class BreaksOff(io.BytesIO):
    """A request of which so much comes, and no end."""

    def read(self, size: int | None = -1) -> bytes:
        content = super().read(size)
        if not content:
            raise UnreadablePostError("connection reset")
        return content


@pytest.mark.parametrize("kept", [0, 1, 10, 200, 2 * IN_MEMORY_BYTES, 3 * IN_MEMORY_BYTES])
def test_a_form_that_breaks_off_is_refused_and_nothing_of_it_is_kept(
    kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    spools: list[IO[bytes]] = []

    def open_noted() -> IO[bytes]:
        spools.append(open_spool())
        return spools[-1]

    monkeypatch.setattr(upload_files, "open_spool", open_noted)
    body = form(b"7" * 3 * IN_MEMORY_BYTES)

    with pytest.raises(UnreadablePostError, match="connection reset"):
        parse(BreaksOff(body[:kept]), len(body))
    assert len(spools) == (kept > 200)
    assert all(spool.closed for spool in spools)


def test_what_is_no_form_is_refused() -> None:
    with pytest.raises(ParseError):
        parse(io.BytesIO(b"nonsense"), 8, "multipart/form-data")


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file grows beyond `size` bytes, as if the disk were full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_disk_that_fills_up_is_told() -> None:
    body = form(b"A" * 3 * IN_MEMORY_BYTES)

    with largest_file(2 * IN_MEMORY_BYTES), pytest.raises(DiskFullError, match="disk is full"):
        parse(io.BytesIO(body), len(body))
    with (
        largest_file(2 * IN_MEMORY_BYTES),
        pytest.raises(DiskFullError, match="disk is full"),
        decoded(io.BytesIO(b"A" * 4 * IN_MEMORY_BYTES)),
    ):
        pass


def test_a_disk_that_fails_otherwise_is_no_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise OSError(errno.EIO, "input/output error")

    with open_spool() as file:
        monkeypatch.setattr(file, "write", fail)
        with pytest.raises(OSError, match="input/output"):
            write_piece(file, b"x")
    assert file.closed


def test_a_small_upload_needs_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_files, "IN_MEMORY_BYTES", 100)
    with largest_file(0), decoded(io.BytesIO(b"QUJD")) as file:
        file.seek(0)
        assert file.read() == b"ABC"


def test_a_form_beyond_the_limit_of_uploads_is_refused_before_it_is_read(settings: Settings) -> None:
    settings.PIPELINE_MAX_UPLOAD_BYTES = 100

    with pytest.raises(RequestDataTooBig):
        SpoolingHandler().handle_raw_input(None, {}, 101, "boundary")
    SpoolingHandler().handle_raw_input(None, {}, 100, "boundary")
