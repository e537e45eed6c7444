"""The secret of a data directory."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway_site import secret_key
from gateway_site.secret_key import kept_secret_key


def test_the_key_is_made_once_and_kept(tmp_path: Path) -> None:
    assert kept_secret_key(tmp_path / "var") == kept_secret_key(tmp_path / "var")


def test_two_data_directories_have_two_keys(tmp_path: Path) -> None:
    assert kept_secret_key(tmp_path / "one") != kept_secret_key(tmp_path / "two")


def test_only_its_owner_can_read_the_key(tmp_path: Path) -> None:
    kept_secret_key(tmp_path)

    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_nothing_but_the_key_is_left_behind(tmp_path: Path) -> None:
    kept_secret_key(tmp_path)

    assert [file.name for file in tmp_path.iterdir()] == ["secret_key"]


def test_it_needs_no_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)

    assert kept_secret_key(tmp_path) == kept_secret_key(tmp_path)


def test_a_key_that_another_process_is_writing_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "secret_key").touch()
    later = threading.Timer(0.1, (tmp_path / "secret_key").write_text, ["written"])
    later.start()

    assert kept_secret_key(tmp_path) == "written"
    later.join()


def test_a_file_that_stays_empty_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_key, "WRITTEN_SECONDS", 0.05)
    (tmp_path / "secret_key").touch()

    with pytest.raises(OSError, match="secret_key is empty: remove it"):
        kept_secret_key(tmp_path)


def test_processes_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: kept_secret_key(tmp_path), range(8)))

    assert len(keys) == 1
