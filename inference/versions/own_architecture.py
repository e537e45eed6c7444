"""The architecture that an upload brings with it: a `.keras` archive does, and a whole model in `.h5`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO, UnsupportedOperation
from tempfile import TemporaryFile
from typing import IO, Any

from inference.errors import BadInputError
from workers.runtime.file_format import may_be_whole_model, tell_format
from workers.runtime.keras_archive import read_architecture
from workers.settings import ROOT

HELPER = [sys.executable, "-m", "workers.runtime.read_config"]
#: The helper itself gives up earlier; this is for one that hangs.
MAX_SECONDS = 30


def own_architecture(upload: bytes | IO[bytes]) -> bytes | None:
    """The Keras JSON config in the upload; None when it brings none.

    Raises:
        BadInputError: it has one that cannot be read.
    """
    kind = tell_format(upload)
    try:
        if kind == "keras":
            return read_architecture(upload).encode()
    except ValueError as error:
        raise BadInputError(f"data is a .keras archive that cannot be read: {error}") from error
    return _of_hdf5(upload) if kind == "hdf5" and may_be_whole_model(upload) else None


def _of_hdf5(upload: bytes | IO[bytes]) -> bytes | None:
    """Read by a process of its own: HDF5 can crash the one that reads a malformed file."""
    with _plain_file(upload) as file:
        try:
            helper = subprocess.run(HELPER, cwd=ROOT, stdin=file, capture_output=True, timeout=MAX_SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise BadInputError(f"data is an HDF5 file that was not read within {MAX_SECONDS} s") from error
    if helper.returncode or not helper.stdout:
        raise BadInputError(f"data is an HDF5 file that ended its reader (exit status {helper.returncode})")
    answer: dict[str, Any] = json.loads(helper.stdout)
    if "error" in answer:
        raise BadInputError(f"data is an HDF5 file that cannot be read: {answer['error']}")
    architecture = answer["architecture"]
    return None if architecture is None else str(architecture).encode()


@contextmanager
def _plain_file(upload: bytes | IO[bytes]) -> Iterator[IO[bytes] | int]:
    """A file that another process can read: the upload itself, when it is one."""
    try:
        descriptor = -1 if isinstance(upload, bytes) else upload.fileno()
    except UnsupportedOperation:
        descriptor = -1
    if descriptor >= 0:
        yield descriptor
        return
    source = BytesIO(upload) if isinstance(upload, bytes) else upload
    with TemporaryFile() as copy:
        source.seek(0)
        shutil.copyfileobj(source, copy)
        copy.flush()
        yield copy
