"""`scripts/bench` from its start to its picture, with tiny numbers: the tables of a release are made by it."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from inference.supervision import rabbitmq
from tests.support.requirement import require
from tests.support.service import run, user_environment
from workers.settings import ROOT

SYSTEMS = ("floor", "embedded")
TINY = ("--only", ",".join(SYSTEMS), "--connections", "1,2", "--seconds", "1", "--rounds", "1")
PNG = b"\x89PNG\r\n"


def test_it_ends_with_a_table_and_a_picture(tmp_path: Path) -> None:
    require(bool(shutil.which("wrk")), "wrk")
    require(rabbitmq.installed(), "rabbitmq-server")  # which the script would install

    done = run(ROOT / "scripts" / "bench", *TINY, "--out", tmp_path, cwd=tmp_path, env=user_environment())

    assert done.returncode == 0, done.stdout + done.stderr
    measurements = json.loads((tmp_path / "numbers.json").read_text())["measurements"]
    assert {(each["system"], each["connections"]) for each in measurements} == {(s, c) for s in SYSTEMS for c in (1, 2)}
    assert all(each["load"]["requests"] > 0 for each in measurements)
    assert {each["load"]["wrong"] + each["load"]["errors"] for each in measurements} == {0}
    assert all(system in (tmp_path / "table.md").read_text() for system in SYSTEMS)
    assert (tmp_path / "plot.png").read_bytes().startswith(PNG)


def test_no_benchmark_has_the_name_of_a_module_of_pythons() -> None:
    names = {path.stem for path in (ROOT / "tests" / "benchmarks").rglob("*.py")}
    assert not names & sys.stdlib_module_names
