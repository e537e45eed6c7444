"""An upload brings its architecture when it is a whole model; a file that harms its reader harms nobody else."""

from __future__ import annotations

import json
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from inference.errors import BadInputError
from inference.versions import own_architecture as module
from inference.versions.own_architecture import own_architecture
from tests.support.archives import archive
from workers.runtime.file_format import MAX_ARCHITECTURE_BYTES

CONFIG = {"class_name": "Sequential", "config": {"name": "s", "layers": []}}


def hdf5(**attributes: Any) -> bytes:
    file = BytesIO()
    with h5py.File(file, "w") as opened:
        opened["weights"] = np.zeros(3)
        for name, value in attributes.items():
            opened.attrs[name] = value
    return file.getvalue()


@pytest.mark.parametrize("kind", [str, str.encode], ids=["text", "bytes"])
def test_a_whole_model_in_hdf5_brings_its_architecture_and_its_version(kind: Any) -> None:
    found = own_architecture(hdf5(model_config=kind(json.dumps(CONFIG)), keras_version=kind("2.15.0")))

    assert found is not None
    assert json.loads(found) == CONFIG | {"keras_version": "2.15.0"}


def test_a_file_on_disk_is_read_where_it_is_and_its_reader_reads_on(tmp_path: Path) -> None:
    content = hdf5(model_config=json.dumps(CONFIG), keras_version="2.15.0")
    (tmp_path / "file").write_bytes(content)

    with (tmp_path / "file").open("rb") as file:
        assert own_architecture(file) == own_architecture(BytesIO(content))
        file.seek(0)
        assert file.read() == content


def test_weights_alone_bring_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HELPER", ["/nobody/is/asked"])

    assert own_architecture(hdf5()) is None
    assert own_architecture(b"no format that is known") is None


def test_a_file_that_only_has_the_word_brings_none() -> None:
    assert own_architecture(hdf5(note="model_config")) is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (hdf5(model_config=json.dumps(CONFIG))[:1500], "truncated|cannot be read"),
        (hdf5(model_config="no JSON"), "JSONDecodeError"),
        (hdf5(model_config="[]"), "describes no Keras model"),
        (hdf5(model_config=np.arange(3)), "model_config is no text"),
        (hdf5(model_config=" " * (MAX_ARCHITECTURE_BYTES + 1)), "is longer than"),
        (archive({"config.json": b"\xff", "model.weights.h5": b""}), "is a .keras archive that cannot be read"),
    ],
    ids=["truncated", "no json", "no model", "numbers", "long", "archive"],
)
def test_a_whole_model_that_cannot_be_read_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(BadInputError, match=reason):
        own_architecture(content)


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import os; os.kill(os.getpid(), 11)", "ended its reader .exit status -11"),
        ("pass", "ended its reader .exit status 0"),
        ("import time; time.sleep(60)", "was not read within 1 s"),
    ],
)
def test_a_file_that_crashes_or_stops_its_reader_is_refused(
    program: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HELPER", [sys.executable, "-c", program])
    monkeypatch.setattr(module, "MAX_SECONDS", 1)

    with pytest.raises(BadInputError, match=reason):
        own_architecture(hdf5(model_config=json.dumps(CONFIG)))
