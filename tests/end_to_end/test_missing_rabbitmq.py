"""What a machine without RabbitMQ is told: here, one whose PATH has no Erlang, without which no node can run."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.service import run, user_environment
from workers.settings import ROOT

TOOLS = ("bash", "cat", "dirname", "flock", "mktemp", "rm", "tail", "touch")
A_TEST_ON_RABBITMQ = "tests/end_to_end/test_cluster.py::test_every_kind_of_process_runs"


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A folder for PATH with what the scripts need: no Erlang, no apt-get."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None
        (folder / tool).symlink_to(found)
    return str(folder)


def script(name: str, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return run(ROOT / "scripts" / name, *arguments, cwd=ROOT, env=user_environment(**settings))


def test_cluster_says_in_one_line_how_to_install_it(tmp_path: Path, path: str) -> None:
    done = script("cluster", "--bind", "127.0.0.1:0", "--data-dir", str(tmp_path / "var"), PATH=path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    assert done.stderr.startswith("cluster: RabbitMQ is not installed: apt-get install rabbitmq-server (or")
    assert "--install" in done.stderr


def test_the_tests_that_need_it_are_skipped_with_a_loud_line(path: str) -> None:
    done = script("test", "-q", A_TEST_ON_RABBITMQ, PATH=path, CI="")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "!!! rabbitmq-server" in done.stderr
    assert "SKIPPED" in done.stderr
    assert "1 skipped" in done.stdout
    assert "rabbitmq-server is not installed: apt-get install rabbitmq-server" in done.stdout


def test_in_continuous_integration_it_must_be_there(path: str) -> None:
    done = script("test", "-q", A_TEST_ON_RABBITMQ, PATH=path, CI="true")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("test: rabbitmq-server")
    assert "missing, and CI=true" in done.stderr


def test_without_the_script_a_missing_one_fails_the_test_in_continuous_integration(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = user_environment(PATH=path, CI="true")
    done = run(ROOT / ".venv/bin/python", "-m", "pytest", "-q", A_TEST_ON_RABBITMQ, cwd=ROOT, env=env)
    assert done.returncode == 1
    assert "rabbitmq-server is not installed, and CI=true" in done.stdout
