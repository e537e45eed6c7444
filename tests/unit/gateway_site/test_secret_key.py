"""The secret of a data directory."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

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


def test_processes_that_start_at_once_agree_on_one_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = iter(range(1000))
    monkeypatch.setattr(os, "getpid", lambda: next(numbers))

    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: kept_secret_key(tmp_path), range(8)))

    assert len(keys) == 1
