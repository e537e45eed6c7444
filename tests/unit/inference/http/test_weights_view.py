"""GET /networks/<nn_id>/versions/<n>/weights: the bytes that were uploaded, under a sensible name."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from django.test import Client

from inference.http import weights_download
from inference.models import FileChunk, Version
from inference.versions import stored_files
from inference.versions.uploads import store_version
from tests.unit.samples import NN_ID
from workers.runtime.file_format import HDF5_SIGNATURE

pytestmark = pytest.mark.django_db
PATH = f"/networks/{NN_ID}/versions/1/weights"


def store(weights: bytes) -> Version:
    return store_version(NN_ID, "weights.b64", weights, b"{}")


def archive(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        for name in names:
            opened.writestr(name, "{}")
    return file.getvalue()


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


@pytest.mark.parametrize("size", [1, 4, 10])
def test_the_bytes_are_streamed_as_they_were_uploaded(
    size: int, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_files, "CHUNK_BYTES", 4)
    monkeypatch.setattr(weights_download, "PIECE_BYTES", 4)
    content = bytes(range(size))
    version = store(content)

    response = client.get(PATH)

    assert response.status_code == 200
    assert body(response) == content
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Length"] == str(size)
    assert response.headers["ETag"] == f'"{version.weights_id}"'


@pytest.mark.parametrize(
    ("content", "suffix"),
    [
        (HDF5_SIGNATURE + b"the rest", ".weights.h5"),
        (archive("config.json", "model.weights.h5"), ".keras"),
        (archive("archive/data.pkl"), ".pt"),
        ((2).to_bytes(8, "little") + b"{}", ".safetensors"),
        (b"no weights at all", ".bin"),
    ],
    ids=["hdf5", "keras", "torch", "safetensors", "unknown"],
)
def test_the_name_says_what_it_is(content: bytes, suffix: str, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_files, "CHUNK_BYTES", 16)
    store(content)

    assert client.head(PATH).headers["Content-Disposition"] == f'attachment; filename="{NN_ID}_1{suffix}"'


def test_a_head_request_tells_the_same_without_the_bytes(client: Client) -> None:
    store(b"content")

    got, told = client.get(PATH), client.head(PATH)

    assert told.status_code == 200
    assert told.content == b""
    assert told.headers == got.headers


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
def test_bytes_that_the_client_has_are_not_sent_again(form: str, client: Client) -> None:
    etag = f'"{store(b"content").weights_id}"'

    response = client.get(PATH, headers={"If-None-Match": form.format(etag)})

    assert (response.status_code, response.headers["ETag"], response.content) == (304, etag, b"")


def test_bytes_that_the_client_has_others_of_are_sent(client: Client) -> None:
    store(b"content")

    assert body(client.get(PATH, headers={"If-None-Match": '"other"'})) == b"content"


@pytest.mark.parametrize("headers", [{}, {"If-None-Match": "*"}], ids=repr)
def test_deleted_weights_are_404(headers: dict[str, str], client: Client) -> None:
    store(b"content")
    assert client.delete(f"/networks/{NN_ID}/versions/1").status_code == 200

    response = client.get(PATH, headers=headers)

    assert response.status_code == 404
    assert response.json() == {"status": False, "message": f"the weights of {NN_ID} version 1 are deleted"}


def test_weights_of_no_version_are_404(client: Client) -> None:
    store(b"content")

    assert client.get(f"/networks/{NN_ID}/versions/2/weights").status_code == 404


def test_weights_that_vanish_while_they_are_sent_break_off(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_files, "CHUNK_BYTES", 4)
    store(b"content")
    response = client.get(PATH)
    FileChunk.objects.filter(offset=4).delete()

    with pytest.raises(Exception, match="have been deleted"):
        body(response)
