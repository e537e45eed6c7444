"""The helper process that reads an architecture out of an HDF5 file, which can crash the process that reads it.

The file is its standard input. It answers with one line of JSON and ends. A gateway starts it for a whole model in the
format before `.keras`: what it reads is an attribute, and no array is opened.
"""

from __future__ import annotations

import io
import json
import os
import resource
import sys
from typing import Any

import h5py

from workers.messages.message import shorten
from workers.runtime.file_format import MAX_ARCHITECTURE_BYTES, WHOLE_MODEL

MAX_SECONDS = 20
MAX_MEMORY_BYTES = 2 * 1024**3


class _Input(io.RawIOBase):
    """Standard input, a plain file, read without moving the place where whoever opened it reads on."""

    def __init__(self) -> None:
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: os.fstat(0).st_size}[whence]
        self._place = start + offset
        return self._place

    def readinto(self, buffer: Any) -> int:
        read = os.preadv(0, [buffer], self._place)
        self._place += read
        return read


def read_config(file: Any) -> str | None:
    """The architecture in an HDF5 file as `model.to_json()` of its version of Keras writes it; None when it has none.

    Raises:
        ValueError, OSError: it is damaged, too long, or no JSON.
    """
    with h5py.File(file, "r") as opened:
        if WHOLE_MODEL not in opened.attrs:
            return None
        text = _text(opened, WHOLE_MODEL)
        version = _text(opened, "keras_version") if "keras_version" in opened.attrs else None
    if len(text) > MAX_ARCHITECTURE_BYTES:
        raise ValueError(f"the architecture's JSON is longer than {MAX_ARCHITECTURE_BYTES} characters")
    described = json.loads(text)
    if not isinstance(described, dict):
        raise ValueError("the architecture's JSON describes no Keras model")
    return json.dumps(described | {"keras_version": version})


def _text(file: h5py.File, name: str) -> str:
    value = file.attrs[name]
    if isinstance(value, bytes):
        value = value.decode("utf-8")
    if not isinstance(value, str):
        raise ValueError(f"{name} is no text")
    return value


def main() -> None:
    """Read standard input, answer, end."""
    for what, limit in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, MAX_SECONDS),
        (resource.RLIMIT_AS, MAX_MEMORY_BYTES),
    ):
        resource.setrlimit(what, (limit, resource.getrlimit(what)[1]))
    try:
        answer = {"architecture": read_config(_Input())}
    except Exception as error:  # noqa: BLE001 - whatever a library raises is the answer; the gateway reports it
        answer = {"error": shorten(f"{type(error).__name__}: {error}")}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
