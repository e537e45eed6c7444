"""What no test runs as a whole can be imported at least: benchmarks, faults and fuzzers name other modules."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from workers.settings import ROOT

IMPORT = "import django, importlib; django.setup(); [importlib.import_module(name) for name in {}]"
FOLDERS = ("benchmarks", "chaos", "conformance", "fuzz")
#: What other programs load, each in an environment of its own.
OF_OTHERS = (
    *("peers/litserve_server", "peers/mlserver_server", "peers/mosec_server", "peers/triton_model", "peers/ask_image"),
    *("conformance/triton_model", "conformance/triton_networks"),
    "sitecustomize",
)


def name_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_every_module_can_be_imported() -> None:
    files = [file for folder in FOLDERS for file in sorted((ROOT / "tests" / folder).rglob("*.py"))]
    names = [name_of(file) for file in files if not str(file.with_suffix("")).endswith(OF_OTHERS)]
    assert len(names) > 60

    done = subprocess.run(
        [sys.executable, "-c", IMPORT.format(names)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr[-2000:]
