"""Tells what kind of file an upload is, by its content alone, and opens archives within bounds.

Stdlib only: the gateway, which has no Keras, uses it as the workers do. Whether the file is sound is not decided here.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import IO, Literal

Format = Literal["keras", "hdf5", "safetensors", "torch"]

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
ZIP_SIGNATURE = b"PK\x03\x04"
#: What marks a whole model in HDF5, the format before `.keras`: its config is in this attribute.
WHOLE_MODEL = "model_config"
KERAS_CONFIG = "config.json"
KERAS_METADATA = "metadata.json"
KERAS_WEIGHTS = "model.weights.h5"
TORCH_PICKLE = "data.pkl"
#: What a program of TorchScript has, beside what a file of `torch.save` has.
TORCH_PROGRAM = "constants.pkl"
#: `torch.save` before 1.6 begins with the pickle of a number that tells its format.
OLD_TORCH_SIGNATURE = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
#: The largest architecture that is read, in bytes of JSON; Keras's largest published networks stay below 2 MB.
MAX_ARCHITECTURE_BYTES = 8 * 1024 * 1024
#: The same, with the vocabularies of its layers.
MAX_FILLED_BYTES = 32 * 1024 * 1024
#: The largest list of members of an archive that is read: a list of millions would fill the memory.
MAX_DIRECTORY_BYTES = 4 * 1024 * 1024
#: The longest header of a safetensors file, as its own reader has it.
MAX_SAFETENSORS_HEADER_BYTES = 100_000_000
#: The longest description of an archive's writer that is read.
MAX_METADATA_BYTES = 64 * 1024
_CHUNK_BYTES = 1024 * 1024


class _Bounded(io.RawIOBase):
    """A file of which nobody reads more than so much at once, as long as an archive's list of members is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.bounded = True

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        if self.bounded and not 0 <= size <= MAX_DIRECTORY_BYTES:
            start = self._file.tell()
            if self._file.seek(0, io.SEEK_END) - start > MAX_DIRECTORY_BYTES:
                raise ValueError(f"the archive's list of members is longer than {MAX_DIRECTORY_BYTES} bytes")
            self._file.seek(start)
        return self._file.read(size)


@contextmanager
def open_archive(file: IO[bytes]) -> Iterator[zipfile.ZipFile]:
    """A zip archive, opened with bounded memory; what reading it raises comes out as a ValueError.

    Raises:
        ValueError: it is no zip archive, a damaged one, or its list of members is too long.
    """
    bounded = _Bounded(file)
    try:
        with zipfile.ZipFile(bounded) as archive:
            bounded.bounded = False
            yield archive
    except (
        zipfile.BadZipFile, EOFError, OSError, zlib.error, NotImplementedError, OverflowError, RuntimeError
    ) as error:  # fmt: skip
        raise ValueError(f"the zip archive is damaged: {type(error).__name__}: {error}") from error


def read_chunks(archive: zipfile.ZipFile, name: str, max_bytes: int) -> Iterator[bytes]:
    """The content of a member, in chunks; no more than `max_bytes` are ever unpacked.

    Raises:
        ValueError: the archive has no such member, or one that is larger or packed in an unusual way.
    """
    left = max_bytes
    with archive.open(_member(archive, name)) as opened:
        while chunk := opened.read(min(_CHUNK_BYTES, left + 1)):
            left -= len(chunk)
            if left < 0:
                raise ValueError(f"{name} in the archive is larger than {max_bytes} bytes")
            yield chunk


def open_member(archive: zipfile.ZipFile, name: str, size: int) -> IO[bytes]:
    """A member that must be of `size` bytes, to be read in parts.

    Raises:
        ValueError: the archive has no such member, or one of another size or packed in an unusual way.
    """
    member = _member(archive, name)
    if member.file_size != size:
        raise ValueError(f"{name} in the archive has {member.file_size} bytes, not {size}")
    return archive.open(member)


def _member(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    try:
        member = archive.getinfo(name)
    except KeyError as error:
        raise ValueError(f"the archive has no member {name}") from error
    # Others are unpacked without a bound on what comes out.
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or member.flag_bits & 1:
        raise ValueError(f"{name} in the archive is packed in a way that no such file is")
    return member


def refuse_strange_members(archive: zipfile.ZipFile) -> None:
    """Refuse an archive with a member that would be unpacked outside its folder; nothing is ever unpacked by name.

    Raises:
        ValueError: there is such a member.
    """
    for name in archive.namelist():
        if "\\" in name or PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise ValueError(f"the archive has a member {name!r}, which leads out of it")


def tell_format(upload: bytes | IO[bytes]) -> Format | None:
    """The format of a file; None when it is none that Pipeline reads."""
    file = io.BytesIO(upload) if isinstance(upload, bytes) else upload
    file.seek(0)
    start = file.read(16)
    if start.startswith(HDF5_SIGNATURE):
        return "hdf5"
    if start.startswith(OLD_TORCH_SIGNATURE):
        return "torch"
    if start.startswith(ZIP_SIGNATURE):
        return _tell_archive(file)
    return "safetensors" if _is_safetensors(file, start) else None


def _tell_archive(file: IO[bytes]) -> Format | None:
    try:
        with open_archive(file) as archive:
            names = archive.namelist()
    except ValueError:
        return None
    if KERAS_CONFIG in names and KERAS_WEIGHTS in names:
        return "keras"
    return "torch" if torch_folder(names) is not None else None


def torch_folder(names: list[str]) -> str | None:
    """The one top folder of an archive of `torch.save`; None when the names are not such an archive's."""
    folders = {name.partition("/")[0] for name in names}
    folder = folders.pop() if len(folders) == 1 else ""
    return folder if f"{folder}/{TORCH_PICKLE}" in names and f"{folder}/{TORCH_PROGRAM}" not in names else None


def _is_safetensors(file: IO[bytes], start: bytes) -> bool:
    length = int.from_bytes(start[:8], "little")
    if len(start) < 10 or start[8:9] != b"{" or not 2 <= length <= MAX_SAFETENSORS_HEADER_BYTES:
        return False
    return file.seek(0, io.SEEK_END) >= 8 + length


def may_be_whole_model(upload: bytes | IO[bytes]) -> bool:
    """Whether an HDF5 file may be a whole model: false when the attribute's name is nowhere in it.

    HDF5 itself is not asked, which can crash who asks it.
    """
    file, name = io.BytesIO(upload) if isinstance(upload, bytes) else upload, WHOLE_MODEL.encode()
    file.seek(0)
    end = b""
    while chunk := file.read(_CHUNK_BYTES):
        if name in end + chunk:
            return True
        end = chunk[-len(name) :]
    return False
