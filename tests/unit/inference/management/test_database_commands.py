"""The management commands that read the database: `networks` and `export_weights`."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO, StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from inference.http.weights_download import WeightsDownload
from inference.models import FileChunk, Network, Version
from inference.versions import services, stored_files
from inference.versions.naming import label_version, name_network
from inference.versions.uploads import store_version
from tests.unit.samples import NN_ID, OTHER_NN_ID, activated, failed_activation
from workers.runtime.file_format import HDF5_SIGNATURE

pytestmark = pytest.mark.django_db
WEIGHTS, MORE_WEIGHTS = HDF5_SIGNATURE + b"weights", b"more weights"


def run(name: str, *arguments: Any) -> str:
    output = StringIO()
    call_command(name, *map(str, arguments), stdout=output)
    return output.getvalue()


def store(nn_id: str = NN_ID, weights: bytes = WEIGHTS) -> Version:
    return store_version(nn_id, "w.b64", weights, b"{}")


@pytest.fixture
def two() -> None:
    """An active version 1, and a version 2 that failed."""
    activated(store())
    failed_activation(store(weights=MORE_WEIGHTS))


def test_networks_says_how_to_make_the_first_one() -> None:
    assert "load_weights FILE" in run("networks")


def test_networks_lists_each_with_its_active_version(two: None) -> None:
    store(OTHER_NN_ID)

    _, first, second = run("networks").splitlines()

    assert first.split()[:4] == [NN_ID, "version", "1", "2"]
    assert first.endswith("default")
    assert second.split()[:3] == [OTHER_NN_ID, "none", "1"]


def test_networks_lists_one_networks_versions_newest_first(two: None) -> None:
    services.delete_version(NN_ID, 2, "a test")
    head, second, first = [line.split() for line in run("networks", NN_ID).splitlines()]

    assert head[:2] == ["VERSION", "STATE"]
    assert (second[:2], second[-2:]) == (["2", "deleted"], ["12", "w.b64"])
    assert (first[:2], first[-3:]) == (["1", "loaded"], ["15", "w.b64", "active"])


def test_names_and_labels_are_listed_where_there_are_some(two: None) -> None:
    store(OTHER_NN_ID)
    assert "NAME" not in run("networks")
    assert "LABELS" not in run("networks", NN_ID)

    name_network(Network.objects.get(nn_id=NN_ID), "fraud")
    label_version(NN_ID, "stable", 1)
    label_version(NN_ID, "best", 1)

    head, named, unnamed = run("networks").splitlines()
    assert (head.split()[-1], named.split()[-1]) == ("NAME", "fraud")
    assert unnamed.split()[0] == OTHER_NN_ID
    head, _, first = run("networks", "fraud").splitlines()
    assert (head.split()[-1], first.split()[-2:]) == ("LABELS", ["best", "stable"])


def test_a_network_is_told_of_by_its_name_too(here: Path) -> None:
    name_network(Network.objects.get(nn_id=NN_ID), "fraud")

    assert run("networks", "fraud") == run("networks", NN_ID)
    assert run("export_weights", "fraud") == f"{NN_ID}_1.weights.h5: {NN_ID} version 1, 15 bytes\n"


def test_networks_says_what_is_not_there() -> None:
    with pytest.raises(CommandError, match=f"there is no network {NN_ID}: `manage.py networks` lists them"):
        run("networks", NN_ID)
    with pytest.raises(CommandError, match="32 lower-case hex digits"):
        run("networks", "no id")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, two: None) -> Path:
    """An empty folder that commands run in, and chunks of a few bytes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(stored_files, "CHUNK_BYTES", 4)
    FileChunk.objects.all().delete()
    stored_files.store_files(WEIGHTS, MORE_WEIGHTS)
    return tmp_path


def test_export_weights_writes_the_active_version_under_a_name_that_says_what_it_is(here: Path) -> None:
    said = run("export_weights", NN_ID)

    name = f"{NN_ID}_1.weights.h5"
    assert said == f"{name}: {NN_ID} version 1, 15 bytes\n"
    assert [file.name for file in here.iterdir()] == [name]
    assert (here / name).read_bytes() == WEIGHTS


def test_export_weights_writes_any_version_wherever_it_is_told_to(here: Path) -> None:
    run("export_weights", NN_ID, "--of-version", 2, "--output", here / "mine")

    assert (here / "mine").read_bytes() == MORE_WEIGHTS


def test_export_weights_writes_over_a_file_only_when_it_must(here: Path) -> None:
    file = here / "mine"
    file.write_bytes(b"precious")

    with pytest.raises(CommandError, match="mine exists: --force writes over it"):
        run("export_weights", NN_ID, "--output", file)
    assert file.read_bytes() == b"precious"
    run("export_weights", NN_ID, "--output", file, "--force")
    assert file.read_bytes() == WEIGHTS


def test_export_weights_writes_nothing_but_the_bytes_to_the_standard_output(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = BytesIO()
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=written))

    assert run("export_weights", NN_ID, "--output", "-") == ""
    assert written.getvalue() == WEIGHTS


def test_export_weights_says_what_is_not_there(here: Path) -> None:
    store(OTHER_NN_ID)
    services.delete_version(NN_ID, 2, "a test")

    for arguments, reason in (
        (["f" * 32], "there is no network"),
        ([NN_ID, "--of-version", "9"], "there is no version 9"),
        ([NN_ID, "--of-version", "2"], "version 2 are deleted"),
        ([OTHER_NN_ID], "has no active version: give --of-version"),
        ([NN_ID, "--output", here / "missing" / "file"], "cannot write .*file: No such file"),
    ):
        with pytest.raises(CommandError, match=reason):
            run("export_weights", *arguments)
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("force", [[], ["--force"]], ids=str)
def test_export_weights_that_breaks_off_leaves_no_half_file(force: list[str], here: Path) -> None:
    FileChunk.objects.filter(offset=12).delete()

    with pytest.raises(CommandError, match="have been deleted"):
        run("export_weights", NN_ID, *force)
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), CommandError),
        (OperationalError("the connection is lost"), OperationalError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
    ids=repr,
)
def test_export_weights_that_breaks_off_keeps_the_file_that_it_was_to_write_over(
    error: BaseException, told: type[BaseException], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(download: WeightsDownload) -> Iterator[bytes]:
        yield WEIGHTS[:4]
        raise error

    file = here / "mine"
    file.write_bytes(b"precious")
    monkeypatch.setattr(WeightsDownload, "chunks", half)

    with pytest.raises(told):
        run("export_weights", NN_ID, "--output", file, "--force")
    assert list(here.iterdir()) == [file]
    assert file.read_bytes() == b"precious"


def test_export_weights_writes_over_a_file_only_when_all_is_there(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[bytes] = []

    def look(download: WeightsDownload) -> Iterator[bytes]:
        yield WEIGHTS
        found.append(file.read_bytes())

    file = here / "mine"
    file.write_bytes(b"precious")
    file.chmod(0o640)
    (here / "link").symlink_to(file)
    monkeypatch.setattr(WeightsDownload, "chunks", look)
    run("export_weights", NN_ID, "--output", here / "link", "--force")

    assert (found, file.read_bytes()) == ([b"precious"], WEIGHTS)
    assert file.stat().st_mode & 0o777 == 0o640
    assert (here / "link").is_symlink()
    assert len(list(here.iterdir())) == 2


def test_export_weights_writes_into_what_is_no_file_and_leaves_it_there(here: Path) -> None:
    pipe = here / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as reader:
        read = reader.submit(pipe.read_bytes)
        run("export_weights", NN_ID, "--output", pipe, "--force")

        assert read.result(30) == WEIGHTS
    assert pipe.is_fifo()
