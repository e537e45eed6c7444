"""Folders of loads: whose process lives keeps its own, and whose was killed leaves one that the next start removes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from workers.runtime.load_folder import PREFIX, load_folder, remove_abandoned_folders
from workers.settings import ROOT

LOADING = """
import sys
from workers.runtime.load_folder import load_folder

with load_folder() as folder:
    (folder / "uploaded").write_bytes(bytes(1000))
    print(folder, flush=True)
    sys.stdin.read()
"""
#: Starts and loads again and again; what it has written must still be there at each load's end.
RESTARTING = """
from workers.runtime.load_folder import load_folder, remove_abandoned_folders

for _ in range(300):
    remove_abandoned_folders()
    with load_folder() as folder:
        (folder / "uploaded").write_bytes(b"content")
        remove_abandoned_folders()
        assert (folder / "uploaded").read_bytes() == b"content"
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This test's own TMPDIR."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


@contextmanager
def loading() -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A process in the middle of a load, and its folder."""
    with subprocess.Popen(
        [sys.executable, "-c", LOADING], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, Path(process.stdout.readline().strip())
        finally:
            process.kill()


def test_a_folder_goes_when_its_load_ends(temporary: Path) -> None:
    with load_folder() as folder:
        (folder / "uploaded").write_bytes(b"content")
        assert list(temporary.iterdir()) == [folder]
        assert folder.stat().st_mode & 0o077 == 0
    with pytest.raises(ValueError, match="damaged"), load_folder():
        raise ValueError("damaged")

    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_has_is_not(temporary: Path) -> None:
    with loading() as (killed, left), loading() as (_, kept), load_folder() as own:
        killed.kill()
        killed.wait()
        assert (left / "uploaded").exists()

        remove_abandoned_folders()

        assert sorted(temporary.iterdir()) == sorted([kept, own])
        assert (kept / "uploaded").exists()


def test_what_is_no_folder_of_a_load_is_not_touched(temporary: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "precious").touch()
    (temporary / f"{PREFIX}link").symlink_to(elsewhere)
    (temporary / f"{PREFIX}file").touch()
    (temporary / "pipeline-other").mkdir()

    remove_abandoned_folders()

    assert len(list(temporary.iterdir())) == 3
    assert (elsewhere / "precious").exists()


def test_another_users_folder_is_not_touched(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (temporary / f"{PREFIX}theirs").mkdir()
    another = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: another)

    remove_abandoned_folders()

    assert (temporary / f"{PREFIX}theirs").exists()


def test_several_that_start_at_once_remove_nothing_of_each_other(temporary: Path) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", RESTARTING], cwd=ROOT) for _ in range(4)]

    assert [process.wait(60) for process in processes] == [0] * 4
    assert list(temporary.iterdir()) == []
