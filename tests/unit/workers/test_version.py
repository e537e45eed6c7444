"""Which version this is."""

from __future__ import annotations

import tomllib

from workers.settings import ROOT
from workers.version import VERSION


def test_it_is_the_projects() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION
