"""A file that is none of the formats is called by its name, with what to send instead; base64 text never is."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import lzma
import pickle
import re
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.archives import archive
from workers.runtime.backend import keras
from workers.runtime.file_format import tell_format
from workers.runtime.foreign_format import tell_foreign
from workers.settings import ROOT

DATA = ROOT / "tests" / "data"


def npz() -> bytes:
    target = io.BytesIO()
    np.savez(target, a=np.zeros(3), b=np.ones(2))
    return target.getvalue()


def npy() -> bytes:
    target = io.BytesIO()
    np.save(target, np.zeros(3))
    return target.getvalue()


def tar() -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as writer:
        writer.addfile(tarfile.TarInfo("network.weights.h5"), io.BytesIO())
    return target.getvalue()


KERAS = archive({"config.json": b"{}", "model.weights.h5": b"weights"})
OF_KERAS = r"save the network from Keras, by model\.save"
FILES = {
    "npz": (npz(), r"a file of numpy arrays \(\.npz\): save the arrays by safetensors"),
    "npy": (npy(), "one numpy array"),
    "onnx": ((DATA / "foreign" / "network.onnx").read_bytes(), f"an ONNX network: {OF_KERAS}"),
    "tflite": ((DATA / "foreign" / "network.tflite").read_bytes(), f"a TensorFlow Lite network: {OF_KERAS}"),
    "saved model": ((DATA / "foreign" / "saved_model.zip").read_bytes(), f"a zip of .*SavedModel: {OF_KERAS}"),
    "saved_model.pb": (b"\x08\x01\x12\x03abc", "a part of TensorFlow's SavedModel"),
    "program": ((DATA / "torch_2_14" / "program.pt").read_bytes(), r"a program of TorchScript: .*state_dict"),
    "gzip": (gzip.compress(KERAS), "a gzip file: unpack it"),
    "bzip2": (bz2.compress(KERAS), "a bzip2 file: unpack it"),
    "xz": (lzma.compress(KERAS), "an xz file: unpack it"),
    "tar": (tar(), "a tar archive: unpack it"),
    "pickle": (pickle.dumps({"a": [1.0]}), "a Python pickle, which is never read"),
    "old pickle": (pickle.dumps({"a": [1.0]}, 2), "a Python pickle, which is never read"),
    "json": (b' {"a": 1}', "JSON: look at what the download really gave"),
    "architecture": (b'{"class_name": "Sequential"}', "JSON, as an architecture is that has no weights"),
    "page": (b"\n<!DOCTYPE html><title>Not found</title>", "a web page or XML"),
    "xml": (b'\xef\xbb\xbf<?xml version="1.0"?><Error/>', "a web page or XML"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "a pointer of Git LFS"),
    "utf-16": ("\ufeffQUJD".encode("utf-16-le"), "text in UTF-16: write the base64 as ASCII"),
    "data url": (b"data:application/octet-stream;base64,QUJD", "a data URL"),
    "armour": (b"-----BEGIN CERTIFICATE-----\nQUJD\n", "base64 between two lines of dashes"),
    "cut off": (KERAS[:-30], "a zip archive, .*, that is cut off or damaged: send it again"),
    "empty zip": (archive({}), "an empty zip archive"),
    "no config": (archive({"model.weights.h5": b""}), r"a \.keras archive without its config\.json"),
    "no weights": (archive({"config.json": b"{}"}), r"a \.keras archive without its model\.weights\.h5"),
    "folder": (
        archive({"net/config.json": b"", "net/model.weights.h5": b""}),
        r"a \.keras archive that was packed again, with its folder",
    ),
    "zip": (archive({"sum.weights.h5": b"", "README": b""}), r"a zip archive with 'sum\.weights\.h5' in it: unpack"),
    "other zip": (archive({"word/document.xml": b""}), r"a zip archive, but neither \.keras nor one of torch\.save"),
    "safetensors": (b"\x80\x00\x00\x00\x00\x00\x00\x00" + b'{"a":{"dtype', "a safetensors file that is cut off"),
}  # fmt: skip


#: Like a SavedModel, of which most is missing; and base64 text with what a tar archive has at the same place.
CUT_OFF, TEXT = b"\x08\x01\x12\x7fabc", b"A" * 257 + b"ustar" + b"A" * 250


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_another_kind_is_called_by_its_name(name: str) -> None:
    content, wanted = FILES[name]

    assert tell_format(content) is None
    told = tell_foreign(content)
    assert told is not None
    assert "\n" not in told
    assert re.match(wanted, told), told


def test_the_list_of_keras_shards_says_how_to_save_one_file(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((2,)), *(keras.layers.Dense(20) for _ in range(3))])
    model.save_weights(tmp_path / "network.weights.json", max_shard_size=3e-6)
    assert len(list(tmp_path.glob("*.h5"))) > 1

    told = tell_foreign((tmp_path / "network.weights.json").read_bytes())

    assert told is not None
    assert told.startswith("the list of weights in several files: save them into one, by save_weights(")


@pytest.mark.parametrize(
    "content", [b"", b"not a network", b"\x00" * 600, b"\x08", b"\x08\xff\xff", CUT_OFF, b"\x80", b"\x89HDF", TEXT]
)
def test_what_has_no_name_is_called_by_none(content: bytes) -> None:
    assert tell_foreign(content) is None


@given(st.binary(max_size=600))
def test_base64_text_is_never_taken_for_a_file(content: bytes) -> None:
    assert tell_foreign(base64.encodebytes(content)) is None


@pytest.mark.parametrize("name", FILES)
def test_no_part_of_a_file_raises_anything(name: str) -> None:
    content = FILES[name][0]
    for length in range(0, len(content), max(1, len(content) // 50)):
        tell_foreign(content[:length])
        tell_foreign(content[length:])
