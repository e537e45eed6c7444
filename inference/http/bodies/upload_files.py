"""Uploads on their way in: spooled to files, which have no name and so are gone with whoever holds them.

Small ones stay in memory. The others take room in the folder `uploads` of the data directory, not in /tmp, which is
memory on many systems.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from rest_framework.parsers import DataAndFiles, MultiPartParser

from inference.errors import DiskFullError
from inference.http.bodies.base64_text import decode_pieces, refuse_foreign
from workers.runtime.file_format import tell_format

FOLDER = "uploads"
#: An upload that is no larger stays in memory.
IN_MEMORY_BYTES = 1024 * 1024
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def open_spool() -> SpooledTemporaryFile[bytes]:
    """A file for one upload, empty; closing it is the end of it."""
    folder: Path = settings.PIPELINE_DATA_DIR / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    return SpooledTemporaryFile(IN_MEMORY_BYTES, dir=str(folder))


def write_piece(file: IO[bytes], piece: bytes) -> None:
    """Write to a file of `open_spool`.

    Raises:
        DiskFullError: there is no room; the file is closed.
    """
    try:
        file.write(piece)
        file.flush()
    except OSError as error:
        with suppress(OSError):
            file.close()  # which tries to write it again
        if error.errno in NO_ROOM:
            raise DiskFullError("the gateway's disk is full: nothing was stored") from error
        raise


@contextmanager
def decoded(upload: IO[bytes]) -> Iterator[IO[bytes]]:
    """The weights file that was uploaded: `upload` itself, or a file with what its base64 text stands for.

    Raises:
        BadInputError: it is empty, or neither a weights file nor base64; or it is known by another name.
        DiskFullError: there is no room for the decoded file.
    """
    if tell_format(upload) is not None:
        yield upload
        return
    with open_spool() as file:
        for piece in decode_pieces(upload):
            write_piece(file, piece)
        if tell_format(file) is None:
            refuse_foreign(file)
        yield file


class SpoolingHandler(FileUploadHandler):
    """Writes the file parts of a form to nameless files."""

    chunk_size = 256 * 1024
    file: IO[bytes]

    def handle_raw_input(self, input_data: Any, META: Any, content_length: int, *_: Any, **__: Any) -> None:  # noqa: N803
        """Refuse what is larger than any upload may be: Django reads a form for its token before a view sees it.

        Raises:
            RequestDataTooBig: it is.
        """
        if content_length > settings.PIPELINE_MAX_UPLOAD_BYTES:
            raise RequestDataTooBig("the form is larger than an upload may be")

    def new_file(self, *arguments: Any, **options: Any) -> None:
        """A part begins."""
        super().new_file(*arguments, **options)
        self.file = open_spool()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """More of it."""
        write_piece(self.file, raw_data)

    def file_complete(self, file_size: int) -> UploadedFile:
        """The part is complete."""
        self.file.seek(0)
        return UploadedFile(
            self.file, self.file_name, self.content_type, file_size, self.charset, self.content_type_extra
        )

    def close(self) -> None:
        """Let go of a part that is not complete."""
        if hasattr(self, "file"):
            self.file.close()


class UploadParser(MultiPartParser):
    """Reads a form with files."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> DataAndFiles[Any, Any]:
        """The form's fields and files.

        Raises:
            UnreadablePostError: the client has gone before the end of the body, or was too slow.
            ParseError: it is no form.
            DiskFullError: there is no room for the files.
        """
        request = (parser_context or {})["request"]
        try:
            return super().parse(stream, media_type, parser_context)
        except BaseException:  # a client that fell silent, too
            for handler in request.upload_handlers:
                handler.close()
            raise
