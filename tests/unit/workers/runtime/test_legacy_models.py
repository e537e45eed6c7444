"""Whole models that other versions of Keras wrote go the whole way through a worker, and answer as they did there."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import h5py
import numpy as np
import pytest

from tests.unit.samples import NN_ID
from workers.messages.protocol import VersionRef
from workers.runtime.errors import ArchitectureError, WeightsError
from workers.runtime.file_format import tell_format
from workers.runtime.keras_archive import read_architecture
from workers.runtime.loading import LoadedVersion, Loader
from workers.runtime.read_config import read_config
from workers.runtime.weights_file import WeightsFileReader
from workers.settings import ROOT

# What a layer says that takes a mask and has no use for it.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask:UserWarning"),
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
]
DATA = ROOT / "tests" / "data" / "saved_by_keras"
WRITERS = ("keras_2_12", "keras_2_15", "tf_keras_2_16", "keras_3_15")
#: The only kinds that are not served: they bring code.
REFUSED = {"code": "Lambda", "custom": "Mine"}


@cache
def saved(writer: str) -> dict[str, bytes]:
    with ZipFile(DATA / f"{writer}.zip") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def models() -> list[tuple[str, str]]:
    return [
        (writer, name)
        for writer in WRITERS
        for name in saved(writer)
        if not name.endswith((".json", "_weights.h5")) and name.partition(".")[0] not in REFUSED
    ]


def architecture_of(content: bytes) -> str | None:
    """In this process: these files are sound."""
    return read_config(BytesIO(content)) if tell_format(content) == "hdf5" else read_architecture(content)


def load(reader: WeightsFileReader, weights: bytes, architecture: str | None = None) -> LoadedVersion:
    config = architecture or architecture_of(weights)
    assert config is not None
    files = {hashlib.sha256(content).hexdigest(): content for content in (config.encode(), weights)}
    name, digest = files

    def fetch(name: str, target: Path) -> None:
        target.write_bytes(files[name])

    loader = Loader(fetch, reader, 1024**3)
    return loader.load_version(VersionRef(NN_ID, 1, digest, name), loader.load_architecture(name))


def assert_answers(loaded: LoadedVersion, told: bytes) -> None:
    written = json.loads(told)
    given = {
        info.name: np.array(rows, info.dtype)
        for info, rows in zip(loaded.architecture.inputs, _in_order(loaded, written["rows"]), strict=True)
    }
    outputs = loaded.predict(given)
    for output, answers in zip(outputs.values(), written["answers"], strict=True):
        np.testing.assert_allclose(output, answers, rtol=0, atol=2e-5)


def _in_order(loaded: LoadedVersion, rows: dict[str, Any]) -> list[Any]:
    """By name; Keras 3 names a Sequential model's input anew."""
    names = [info.name for info in loaded.architecture.inputs]
    return [rows[name] for name in names] if rows.keys() == set(names) else list(rows.values())


@pytest.mark.parametrize(("writer", "name"), models())
def test_a_model_answers_as_the_version_that_wrote_it(writer: str, name: str, reader: WeightsFileReader) -> None:
    files = saved(writer)

    assert_answers(load(reader, files[name]), files[f"{name.partition('.')[0]}.json"])


def test_there_are_models_of_each_writer() -> None:
    counts = Counter(writer for writer, _ in models())

    assert all(counts[writer] > 20 for writer in WRITERS[1:])
    assert counts["keras_2_12"] == 6


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("kind", REFUSED)
def test_a_model_that_brings_code_is_refused_with_its_name(writer: str, kind: str, reader: WeightsFileReader) -> None:
    for suffix in ("h5", "keras"):
        if f"{kind}.{suffix}" in saved(writer):
            with pytest.raises(ArchitectureError, match=rf"{REFUSED[kind]}\b.* not among the layers that are served"):
                load(reader, saved(writer)[f"{kind}.{suffix}"])


def test_weights_of_keras_2_alone_load_into_the_architecture_of_another_upload(reader: WeightsFileReader) -> None:
    files = saved("keras_2_15")
    assert architecture_of(files["nested_weights.h5"]) is None

    assert_answers(load(reader, files["nested_weights.h5"], architecture_of(files["nested.h5"])), files["nested.json"])


def changed(content: bytes, change: Any) -> bytes:
    file = BytesIO(content)
    with h5py.File(file, "r+") as opened:
        change(opened)
    return file.getvalue()


def rename(file: h5py.File) -> None:
    group = file["model_weights"]
    group.move("dense_11" if "dense_11" in group else "dense", "another")
    names = [each if each != "dense" else "another" for each in group.attrs["layer_names"]]
    group.attrs["layer_names"] = names


def swap(file: h5py.File) -> None:
    """The weights' names are kept, and what is listed first is last."""
    group = file["model_weights/dense"]
    group.attrs["weight_names"] = list(group.attrs["weight_names"])[::-1]


def mistake(file: h5py.File) -> None:
    group = file["model_weights/dense"]
    kernel, bias = group.attrs["weight_names"]
    group.attrs["weight_names"] = [bias.replace("bias", "kernel"), kernel.replace("kernel", "scale")]


def forget(file: h5py.File) -> None:
    del file["model_weights/dense/dense/bias:0"]


def link(file: h5py.File) -> None:
    del file["model_weights/dense/dense/bias:0"]
    file["model_weights/dense/dense/bias:0"] = h5py.ExternalLink("/etc/hostname", "/bias")


def link_all(file: h5py.File) -> None:
    del file["model_weights"]
    file["model_weights"] = h5py.ExternalLink("/etc/hostname", "/")


def lead_out(file: h5py.File) -> None:
    file["elsewhere"] = h5py.ExternalLink("/etc/hostname", "/")
    file["model_weights"].attrs["layer_names"] = ["/elsewhere"]


def reshape(file: h5py.File) -> None:
    del file["model_weights/dense/dense/bias:0"]
    file["model_weights/dense/dense/bias:0"] = np.zeros(5, np.float32)


def on_theano(file: h5py.File) -> None:
    file["model_weights"].attrs["backend"] = np.bytes_("theano")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (rename, r"of another: no such layer|has 0 weights of dense"),
        (mistake, "lists .*scale:0, and does not have it"),
        (forget, "lists .*bias:0, and does not have it"),
        (link, "is a link to somewhere else"),
        (link_all, "without a group model_weights"),
        (lead_out, "layer /elsewhere, which is not among its weights"),
        (reshape, "has the shape"),
        (on_theano, "Keras on theano"),
    ],
)
def test_a_model_whose_weights_are_not_its_own_is_refused(change: Any, reason: str, reader: WeightsFileReader) -> None:
    with pytest.raises(WeightsError, match=reason):
        load(reader, changed(saved("keras_2_15")["dense.h5"], change))


def test_weights_are_found_by_their_names_before_their_order(reader: WeightsFileReader) -> None:
    files = saved("keras_2_15")

    assert_answers(load(reader, changed(files["dense.h5"], swap)), files["dense.json"])


def test_the_state_of_random_numbers_is_left_out(reader: WeightsFileReader) -> None:
    def add(file: h5py.File) -> None:
        group = file["model_weights/dropout"]
        group["dropout/StateVar:0"] = np.zeros(3, np.int64)
        group.attrs["weight_names"] = ["dropout/StateVar:0"]

    files = saved("keras_2_15")

    assert_answers(load(reader, changed(files["dense.h5"], add)), files["dense.json"])


def test_a_list_of_names_that_is_split_up_is_read_whole(reader: WeightsFileReader) -> None:
    def split(file: h5py.File) -> None:
        group = file["model_weights"]
        names = list(group.attrs["layer_names"])
        del group.attrs["layer_names"]
        for number, each in enumerate(names):
            group.attrs[f"layer_names{number}"] = [each]

    files = saved("keras_2_15")

    assert_answers(load(reader, changed(files["dense.h5"], split)), files["dense.json"])
