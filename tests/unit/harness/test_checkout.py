"""Another commit beside this one: its files and environment are its own, and so are the programs that are started."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from inference.supervision.processes import Child
from tests.benchmarks import checkout, compare
from tests.benchmarks.checkout import Checkout, OtherSystem, check_out
from tests.support.requirement import require

ENVIRONMENT = """
set_up_environment() {
  mkdir -p .venv/bin
  echo "$1" >>.venv/made
  ln -sf "$PIPELINE_PYTHON" .venv/bin/python
}
"""


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Nobody", "-c", "user.email=nobody@nowhere", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two commits: a gateway of the older kind, and one of today's."""
    require(bool(shutil.which("git")), "git")
    monkeypatch.setenv("PIPELINE_PYTHON", sys.executable)
    folder = tmp_path / "repository"
    for name in ("scripts", "gateway_site"):
        (folder / name).mkdir(parents=True)
    (folder / checkout.ENVIRONMENT).write_text(ENVIRONMENT)
    git(folder, "init", "--quiet")
    for name in ("wsgi", "asgi"):
        (folder / "gateway_site" / f"{name}.py").touch()
        git(folder, "add", ".")
        git(folder, "commit", "--quiet", "--message", name)
    return folder


def test_a_commit_has_its_own_files_and_its_own_environment(repository: Path, tmp_path: Path) -> None:
    now, before = (check_out(name, repository, tmp_path / "kept") for name in ("HEAD", "HEAD~1"))

    assert now.application == "gateway_site.asgi"
    assert before.application == "gateway_site.wsgi"
    assert Path(before.python).resolve() == Path(sys.executable).resolve()
    assert before.root == tmp_path / "kept" / before.commit
    assert (before.root / ".venv" / "made").read_text() == "runtime\n"


def test_it_is_made_once_and_its_environment_is_looked_after_each_time(repository: Path, tmp_path: Path) -> None:
    first = check_out("HEAD", repository, tmp_path / "kept")
    (first.root / "kept").touch()

    assert check_out(first.commit, repository, tmp_path / "kept") == first
    assert (first.root / "kept").exists()
    assert (first.root / ".venv" / "made").read_text() == "runtime\nruntime\n"
    assert [*(tmp_path / "kept").iterdir()] == [first.root]


def test_a_commit_that_is_unknown_or_cannot_be_set_up_is_refused(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="knows no commit"):
        check_out("nowhere", repository, tmp_path / "kept")

    (repository / checkout.ENVIRONMENT).write_text("set_up_environment() { return 1; }")
    git(repository, "commit", "--quiet", "--all", "--message", "broken")
    with pytest.raises(RuntimeError, match="could not be made"):
        check_out("HEAD", repository, tmp_path / "kept")

    git(repository, "rm", "--quiet", checkout.ENVIRONMENT)
    git(repository, "commit", "--quiet", "--message", "none")
    with pytest.raises(RuntimeError, match=r"has no scripts/_environment\.sh"):
        check_out("HEAD", repository, tmp_path / "kept")


def test_its_programs_are_started_by_its_own_python_in_its_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gateway_site").mkdir()
    (tmp_path / "gateway_site" / "wsgi.py").touch()
    monkeypatch.setattr(Child, "start", lambda _: None)
    other = Checkout("abc1234", tmp_path)

    system = OtherSystem(other, tmp_path / "system", "amqp://nowhere")
    worker = system.add_worker()

    assert [child.argv[0] for child in (system.gateway, worker)] == [other.python] * 2
    assert [child.cwd for child in (system.gateway, worker)] == [tmp_path] * 2
    assert system.gateway.argv[-1] == "gateway_site.wsgi"
    assert worker.argv[1:5] == ["-m", "celery", "-A", "workers"]
    assert worker.env["BROKER_URL"] == "amqp://nowhere"


def test_another_commits_systems_follow_ours_at_once_in_each_round(tmp_path: Path) -> None:
    found = compare.systems(["floor", "embedded", "cluster"], Checkout("abc1234", tmp_path))

    assert [*found] == ["floor", "embedded", "embedded, abc1234", "cluster", "cluster, abc1234"]
    assert [*compare.systems(["cluster"], None)] == ["cluster"]
