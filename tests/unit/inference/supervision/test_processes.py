"""Real child processes: how they start, stop and end (no sockets)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from inference.supervision.errors import StartError
from inference.supervision.processes import Child
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[4]
SLEEPER = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)
PARENT = (
    "import subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    "print(child.pid, flush=True); time.sleep(600)"
)


@pytest.fixture
def make_child(tmp_path: Path) -> Iterator[Callable[..., Child]]:
    children: list[Child] = []

    def make(program: str, stop_seconds: float = 20.0) -> Child:
        children.append(
            Child(
                "child", [sys.executable, "-c", program], log=tmp_path / "log" / "child.log", stop_seconds=stop_seconds
            )
        )
        return children[-1]

    yield make
    for child in children:
        child.kill()


def output(child: Child) -> str:
    return child.log.read_text() if child.log.exists() else ""


def exists(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not yet collected does not count."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_child_runs_in_a_session_of_its_own_and_writes_to_its_log(make_child: Callable[..., Child]) -> None:
    child = make_child(SLEEPER)
    child.start()
    wait_until(lambda: output(child) == "up\n")
    assert child.alive()
    assert child.pid is not None
    assert os.getsid(child.pid) == child.pid
    child.stop()
    assert not child.alive()
    assert child.ending() == "signal SIGTERM"


def test_a_child_that_ignores_sigterm_is_killed_at_the_deadline(make_child: Callable[..., Child]) -> None:
    child = make_child(STUBBORN, stop_seconds=0.2)
    child.start()
    wait_until(lambda: output(child) == "up\n")
    child.stop()
    assert child.ending() == "signal SIGKILL"


def test_what_a_child_started_ends_with_it(make_child: Callable[..., Child]) -> None:
    child = make_child(PARENT)
    child.start()
    wait_until(lambda: output(child).endswith("\n"))
    grandchild = int(output(child))
    assert exists(grandchild)
    child.stop()
    wait_until(lambda: not exists(grandchild))


def test_what_a_dead_child_left_is_ended_before_it_starts_again(make_child: Callable[..., Child]) -> None:
    child = make_child(PARENT)
    child.start()
    wait_until(lambda: output(child).endswith("\n"))
    grandchild = int(output(child))
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    wait_until(lambda: not child.alive())
    assert exists(grandchild)
    child.start()
    wait_until(lambda: not exists(grandchild))
    assert child.alive()


def test_a_program_that_is_not_there_ends_with_a_line_in_the_log(tmp_path: Path) -> None:
    child = Child("none", ["/no/such/program"], log=tmp_path / "none.log")
    child.start()
    child.wait(20.0)
    assert child.ending() == "exit status 127"
    assert output(child) == "cannot run /no/such/program: No such file or directory\n"


def test_a_log_that_cannot_be_written_is_a_start_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match="cannot start child"):
        Child("child", ["true"], log=tmp_path / "file" / "child.log").start()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tie a child to its parent's life")
def test_a_child_does_not_outlive_a_parent_that_was_killed(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from inference.supervision.processes import Child\n"
        f"child = Child('child', [sys.executable, '-c', {STUBBORN!r}], log=pathlib.Path({str(tmp_path / 'c.log')!r}))\n"
        "child.start(); print(child.pid, flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        wait_until(lambda: (tmp_path / "c.log").read_text() == "up\n")
        parent.kill()
        wait_until(lambda: not exists(pid))
