"""A form with one file, as an HTTP client sends it: read from the file while it goes, never in memory as a whole."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import IO
from uuid import uuid4


class MultipartForm:
    """The form's body as `requests` streams it: of known length, read piece by piece."""

    def __init__(self, fields: Mapping[str, str], name: str, file_name: str, file: IO[bytes]) -> None:
        """`fields` are plain ones; `name` is the field that holds `file`, of which all is sent, from its beginning."""
        boundary = uuid4().hex
        self.content_type = f"multipart/form-data; boundary={boundary}"
        head = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
            for field, value in fields.items()
        )
        head += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{_quoted(file_name)}"\r\n'
        head += "Content-Type: application/octet-stream\r\n\r\n"
        start, end = head.encode(), f"\r\n--{boundary}--\r\n".encode()
        self._length = len(start) + file.seek(0, io.SEEK_END) + len(end)
        file.seek(0)
        self._parts: list[IO[bytes]] = [io.BytesIO(start), file, io.BytesIO(end)]

    def __len__(self) -> int:
        """The body's length in bytes."""
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        """The body in pieces; `requests` takes for a stream what can be iterated over."""
        while piece := self.read(64 * 1024):
            yield piece

    def read(self, size: int) -> bytes:
        """The next bytes, at most `size`; none at the end."""
        while self._parts:
            piece = self._parts[0].read(size)
            if piece:
                return piece
            self._parts.pop(0)
        return b""


def _quoted(file_name: str) -> str:
    """As browsers write a file's name."""
    return file_name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
