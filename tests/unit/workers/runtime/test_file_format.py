"""Which format a file is, told by its content; an archive's architecture, read within bounds."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from tests.support.archives import archive
from workers.runtime import file_format
from workers.runtime.file_format import may_be_whole_model, tell_format
from workers.runtime.keras_archive import read_architecture
from workers.settings import ROOT

CONFIG = b'{"class_name": "Sequential"}'
KERAS = archive({"config.json": CONFIG, "metadata.json": b"{}", "model.weights.h5": b"\x89HDF"})
SAFETENSORS = len(b'{"a":{}} ').to_bytes(8, "little") + b'{"a":{}} '


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (KERAS, "keras"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "hdf5"),
        (SAFETENSORS, "safetensors"),
        (archive({"net/data.pkl": b"", "net/data/0": b""}), "torch"),
        (b"", None),
        (b"not a network", None),
        (b"\x89HDF", None),
        (KERAS[:-30], None),
        (archive({"config.json": CONFIG}), None),
        (archive({"a/data.pkl": b"", "b/data/0": b""}), None),
        (archive({"data.pkl": b""}), None),
        (b"\xff" * 8 + b"{}", None),
        (SAFETENSORS[:-1], None),
    ],
)
def test_a_format_is_told_by_the_content(content: bytes, wanted: str | None) -> None:
    assert tell_format(content) == wanted
    assert tell_format(io.BytesIO(content)) == wanted


@pytest.mark.parametrize("path", sorted((ROOT / "tests" / "data").glob("*.pt")), ids=lambda path: path.name)
def test_what_torch_writes_is_told(path: Path) -> None:
    assert tell_format(path.read_bytes()) == "torch"


def test_the_architecture_is_read_from_the_archive() -> None:
    assert json.loads(read_architecture(KERAS)) == json.loads(CONFIG)


@pytest.mark.parametrize(("version", "told"), [("2.15.0", "2.15.0"), ("3.15.1", None), (None, None)])
def test_an_architecture_of_keras_2_says_so(version: str | None, told: str | None) -> None:
    metadata = {} if version is None else {"metadata.json": json.dumps({"keras_version": version}).encode()}
    content = archive({"config.json": CONFIG, "model.weights.h5": b"", **metadata})

    described = json.loads(read_architecture(content))

    assert (described.pop("keras_version", None), described) == (told, json.loads(CONFIG))


@pytest.mark.parametrize("metadata", [b"", b"[]", b"\xff", b"[" * 100_000, b" " * (file_format.MAX_METADATA_BYTES + 1)])
def test_an_archive_that_is_described_otherwise_is_refused(metadata: bytes) -> None:
    with pytest.raises(ValueError, match=r"metadata\.json in the archive is"):
        read_architecture(archive({"config.json": CONFIG, "model.weights.h5": b"", "metadata.json": metadata}))


@pytest.mark.parametrize("before", [0, 1024 * 1024 - 6, 1024 * 1024, 3 * 1024 * 1024])
def test_the_mark_of_a_whole_model_is_found_wherever_it_is(before: int) -> None:
    assert may_be_whole_model(bytes(before) + b"model_config" + bytes(9))
    assert not may_be_whole_model(bytes(before) + b"model_confi" + bytes(9))


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_architecture_that_is_large_only_unpacked_is_refused(compression: int) -> None:
    bomb = archive(
        {"config.json": b" " * (file_format.MAX_ARCHITECTURE_BYTES + 1), "model.weights.h5": b""}, compression
    )

    with pytest.raises(ValueError, match=r"config\.json in the archive is larger than"):
        read_architecture(bomb)


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packings_that_cannot_be_unpacked_within_bounds_are_refused(compression: int) -> None:
    with pytest.raises(ValueError, match="packed in a way"):
        read_architecture(archive({"config.json": b" " * 100_000, "model.weights.h5": b""}, compression))


def test_a_list_of_members_that_is_too_long_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_format, "MAX_DIRECTORY_BYTES", 70_000)
    many = archive(
        {f"assets/{number}": b"" for number in range(2000)} | {"config.json": CONFIG, "model.weights.h5": b""}
    )

    assert tell_format(many) is None
    with pytest.raises(ValueError, match="list of members is longer"):
        read_architecture(many)


@pytest.mark.parametrize("name", ["../../tmp/evil", "/etc/evil", "assets/../../evil", "..\\evil"])
def test_a_member_that_leads_out_of_the_archive_is_refused(name: str) -> None:
    strange = archive({"config.json": CONFIG, "model.weights.h5": b"", name: b"evil"})

    assert tell_format(strange) == "keras"
    with pytest.raises(ValueError, match="leads out of it"):
        read_architecture(strange)


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04", KERAS[:100], archive({"x": b""}), archive({"config.json": b"\xff\xfe"})],
    ids=["empty", "signature", "truncated", "without", "no text"],
)
def test_an_archive_without_an_architecture_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="archive"):
        read_architecture(content)


def test_no_damage_to_an_archive_raises_anything_else() -> None:
    for position in range(len(KERAS)):
        damaged = KERAS[:position] + bytes([KERAS[position] ^ 0xFF]) + KERAS[position + 1 :]
        tell_format(damaged)
        try:
            read_architecture(damaged)
        except ValueError:
            pass
