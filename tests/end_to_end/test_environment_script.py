"""scripts/_environment.sh makes .venv from nothing, mends it, and says in a line what is missing; needs no network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = (
    'set -euo pipefail; source scripts/_environment.sh; set_up_environment "$1"; '
    '"$PYTHON" -c "import sys; print(sys.prefix)"'
)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with scripts and no requirements."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "_environment.sh", tmp_path / "scripts")
    (tmp_path / "requirements.txt").write_text("# nothing\n")
    return tmp_path


def set_up(
    clone: Path, path: str | None = None, kind: str = "runtime", **variables: str
) -> subprocess.CompletedProcess[str]:
    bash = shutil.which("bash")
    assert bash is not None
    env = {key: value for key, value in os.environ.items() if key not in ("PIPELINE_PYTHON", "VIRTUAL_ENV")}
    env |= variables | ({"PATH": path} if path else {})
    return subprocess.run(
        [bash, "-c", SCRIPT, "set_up", kind],
        cwd=clone,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def folder_with(tmp_path: Path, **programs: str) -> str:
    """A folder for PATH with a few tools and these Python programs, each a shell script."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("dirname", "flock", "cat", "rm", "touch", "tail"):
        found = shutil.which(tool)
        assert found is not None
        (folder / tool).symlink_to(found)
    for name, text in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    return str(folder)


def base_python() -> str:
    return str(Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}")


def test_a_machine_without_python_is_told_so_in_one_line(clone: Path, tmp_path: Path) -> None:
    done = set_up(clone, folder_with(tmp_path))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "no Python 3.11, 3.12 or 3.13 was found: apt-get install python3" in done.stderr


@pytest.mark.parametrize("version", ["3.14", "3.10"])
def test_a_machine_with_another_python_only_says_what_it_is_and_what_to_do(
    clone: Path, tmp_path: Path, version: str
) -> None:
    done = set_up(clone, folder_with(tmp_path, python3=f"echo {version}"))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"Python {version} will not do: the pinned TensorFlow has releases for Python 3.11" in done.stderr
    assert "set PIPELINE_PYTHON" in done.stderr
    assert "apt-get install" not in done.stderr


@pytest.mark.parametrize(("pinned", "taken"), [("2.21.0", False), ("2.22.0", True), ("2.30.1", True)])
def test_python_3_14_is_taken_as_soon_as_the_pinned_tensorflow_has_releases_for_it(
    clone: Path, tmp_path: Path, pinned: str, taken: bool
) -> None:
    (clone / "requirements.txt").write_text(f"tensorflow-cpu=={pinned}\n")
    done = set_up(clone, folder_with(tmp_path, python3='case "$2" in *ensurepip*) ;; *) echo 3.14;; esac'))
    # What stands in for it makes no environment; that it was asked to shows that it was taken.
    assert ("making .venv with Python 3.14" in done.stderr) is taken


def test_a_python_that_cannot_make_environments_names_the_package(clone: Path, tmp_path: Path) -> None:
    lacking = 'case "$2" in *ensurepip*) exit 1;; *) echo 3.11;; esac'
    done = set_up(clone, folder_with(tmp_path, python3=lacking))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "apt-get install python3-venv" in done.stderr


@pytest.mark.parametrize("version", ["3.10", "3.14", "2.7"])
def test_a_chosen_python_of_another_version_is_refused_in_one_line(clone: Path, tmp_path: Path, version: str) -> None:
    old = folder_with(tmp_path, old=f"echo {version}")
    done = set_up(clone, PIPELINE_PYTHON=f"{old}/old")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"is Python {version}, not Python 3.11, 3.12 or 3.13, which the pinned TensorFlow" in done.stderr


def test_it_is_made_once_changed_with_the_requirements_and_mended_when_broken(clone: Path) -> None:
    venv, python = clone / ".venv", base_python()
    first = set_up(clone, PIPELINE_PYTHON=python)
    assert (first.returncode, first.stdout) == (0, f"{venv}\n"), first.stderr
    assert "making .venv" in first.stderr

    again = set_up(clone, PIPELINE_PYTHON=python)
    assert (again.returncode, again.stdout, again.stderr) == (0, f"{venv}\n", "")

    (clone / "requirements.txt").write_text("# nothing again\n")
    changed = set_up(clone, PIPELINE_PYTHON=python)
    assert changed.returncode == 0, changed.stderr
    assert "installing the packages" in changed.stderr
    assert "making .venv" not in changed.stderr

    (clone / "requirements.txt").write_text("no-such-package-here @ file:///nowhere\n")
    failed = set_up(clone, PIPELINE_PYTHON=python)
    assert failed.returncode == 1
    assert "could not be installed" in failed.stderr.splitlines()[-1]

    (clone / "requirements.txt").write_text("# nothing\n")
    (venv / ".installing").touch()
    mended = set_up(clone, PIPELINE_PYTHON=python)
    assert (mended.returncode, mended.stdout) == (0, f"{venv}\n"), mended.stderr
    assert "making it anew" in mended.stderr


def test_an_environment_for_development_runs_the_service_without_another_installation(clone: Path) -> None:
    (clone / "requirements-dev.txt").write_text("# nothing\n")
    made = set_up(clone, kind="development", PIPELINE_PYTHON=base_python())
    assert made.returncode == 0, made.stderr
    served = set_up(clone, kind="runtime", PIPELINE_PYTHON=base_python())
    assert (served.returncode, served.stderr) == (0, "")
