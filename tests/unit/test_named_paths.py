"""What docs, docstrings and comments call by its path is there: whoever follows one arrives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from workers.settings import ROOT

FOLDERS = ("gateway_site", "inference", "workers", "tests", "scripts", "docs", "data")
NAMED = re.compile(rf"`((?:{'|'.join(FOLDERS)})/[\w./-]+)`")


def files() -> Iterator[Path]:
    yield from ROOT.glob("*.md")
    for folder in FOLDERS:
        for kind in ("md", "py", "sh"):
            yield from (ROOT / folder).rglob(f"*.{kind}")


def test_every_path_that_is_named_is_there() -> None:
    named = {(file, path) for file in files() for path in NAMED.findall(file.read_text("utf-8"))}

    assert len(named) > 100, "they are found"
    assert [f"{file.relative_to(ROOT)}: {path}" for file, path in named if not (ROOT / path).exists()] == []
