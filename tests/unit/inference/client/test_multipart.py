"""A form with one file, as it is sent, is the form that a server reads."""

from __future__ import annotations

import io

import pytest
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http.multipartparser import MultiPartParser
from hypothesis import given
from hypothesis import strategies as st

from inference.client.multipart import MultipartForm


def sent(file_name: str, content: bytes, piece_bytes: int = 7) -> tuple[MultipartForm, bytes]:
    form = MultipartForm({"nn_id": "0" * 32}, "data", file_name, io.BytesIO(content))
    pieces = []
    while piece := form.read(piece_bytes):
        pieces.append(piece)
    return form, b"".join(pieces)


@given(content=st.binary(max_size=300), piece_bytes=st.integers(1, 400))
def test_a_server_reads_what_was_sent(content: bytes, piece_bytes: int) -> None:
    form, body = sent("w.h5", content, piece_bytes)

    assert len(form) == len(body)
    meta = {"CONTENT_TYPE": form.content_type, "CONTENT_LENGTH": str(len(body))}
    handler = MemoryFileUploadHandler()
    handler.handle_raw_input(None, meta, len(body), b"", None)
    fields, files = MultiPartParser(meta, io.BytesIO(body), [handler]).parse()
    assert fields["nn_id"] == "0" * 32
    assert (files["data"].name, files["data"].content_type) == ("w.h5", "application/octet-stream")
    assert files["data"].read() == content


@pytest.mark.parametrize("file_name", ['a"; name="nn_id', "a\r\nX: y", "a\nb"])
def test_a_files_name_cannot_leave_its_place(file_name: str) -> None:
    _, body = sent(file_name, b"")

    headers = body.partition(b"filename=")[2].partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert len(headers) == 2
    assert headers[0].count(b'"') == 2


def test_a_file_is_sent_from_its_beginning_however_far_it_was_read() -> None:
    file = io.BytesIO(b"0123456789")
    file.seek(5)

    form = MultipartForm({}, "data", "w", file)

    assert b"0123456789" in b"".join(form)
