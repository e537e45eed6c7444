"""`manage.py check --deploy` tells what a deployment lacks, and nothing of one that lacks nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.system import clean_environment
from workers.settings import ROOT

#: As docs/security.md has them.
PRODUCTION = {
    "PIPELINE_REQUIRE_TOKEN": "true",
    "PIPELINE_ALLOWED_HOSTS": "pipeline.example.com",
    "PIPELINE_HTTPS": "true",
    "PIPELINE_PROXIES": "1",
    "PIPELINE_SECRET_KEY": "vD3cM0vY8qUJ5hT1sLx9rWbN6kGf2ZpA7eXo4RiQyCuBtHnKmE",
    "PIPELINE_MESSAGE_KEY": "5f0c1d9be2a84c37b6f1d0a9e8c7b6a5f4e3d2c1b0a99887",
    "BROKER_URL": "amqps://pipeline:secret@broker.example.com:5671//",
    "DATABASE_URL": "postgresql://pipeline:secret@db.example.com:5432/pipeline",
}


def found(data_dir: Path, **changes: str | None) -> set[str]:
    """The ids of what a deployment lacks; a variable that is None is left out."""
    said = {name: value for name, value in {**PRODUCTION, **changes}.items() if value is not None}
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "check", "--deploy", "--fail-level", "WARNING"],
        env=clean_environment() | {"PIPELINE_DATA_DIR": str(data_dir), **said},
        cwd=os.sep,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    ids = set(re.findall(r"\((\w+\.\w+)\)", done.stderr))
    assert (done.returncode == 0) == (not ids), done.stderr
    assert done.stderr.count("HINT:") >= len([each for each in ids if each.startswith("pipeline.")])
    return ids


def test_the_documented_settings_lack_nothing(tmp_path: Path) -> None:
    assert found(tmp_path) == set()


def test_the_defaults_of_a_desk_lack_much(tmp_path: Path) -> None:
    lacking = found(tmp_path, **dict.fromkeys(PRODUCTION))

    assert lacking >= {"pipeline.W001", "pipeline.W003", "pipeline.W004"}
    assert not lacking & {f"pipeline.W00{number}" for number in (2, 5, 6, 7, 8, 9)}


def test_what_is_missing_of_a_cluster_is_told(tmp_path: Path) -> None:
    lacking = found(
        tmp_path,
        PIPELINE_REQUIRE_TOKEN="false",
        PIPELINE_ALLOW_OPEN="true",
        PIPELINE_BIND="0.0.0.0:80",
        PIPELINE_SECRET_KEY="short",
        DATABASE_URL="",
    )

    assert lacking == {"pipeline.W002", "pipeline.W005", "security.W009"}


def test_what_is_open_over_grpc_is_told(tmp_path: Path) -> None:
    opened = {"PIPELINE_REQUIRE_TOKEN": "false", "PIPELINE_ALLOW_OPEN": "true", "PIPELINE_GRPC_BIND": "0.0.0.0:54323"}

    assert found(tmp_path, **opened) == {"pipeline.W002"}


@pytest.mark.parametrize("bind", ["unix:/run/pipeline.sock", "[::1]:80"])
def test_a_key_that_is_kept_on_one_host_is_none_for_several(bind: str, tmp_path: Path) -> None:
    assert found(tmp_path, PIPELINE_SECRET_KEY=None, PIPELINE_BIND=bind) == {"pipeline.W006"}


@pytest.mark.parametrize(
    ("broker", "lacking"),
    [
        ("amqp://pipeline:secret@broker.example.com:5672//", {"pipeline.W007", "pipeline.W008"}),
        ("amqps://u:p@one.example.com//;amqps://u:p@two.example.com//", {"pipeline.W007"}),
        ("amqp://pipeline:secret@127.0.0.1:5672//", set()),
    ],
)
def test_a_broker_of_another_host_is_one_that_others_reach(broker: str, lacking: set[str], tmp_path: Path) -> None:
    assert found(tmp_path, BROKER_URL=broker, PIPELINE_MESSAGE_KEY=None) == lacking


def test_a_proxy_that_nobody_counted_is_told(tmp_path: Path) -> None:
    assert found(tmp_path, PIPELINE_PROXIES=None) == {"pipeline.W009"}
