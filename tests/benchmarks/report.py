"""What a benchmark found, printed as a table and kept as Markdown and JSON."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.benchmarks.machine import machine
from workers.settings import ROOT

OUT = ROOT / "docs" / "performance"

#: A line of a table: its columns by their titles.
Row = Mapping[str, str | int | float]


def parser(description: str | None) -> argparse.ArgumentParser:
    """The options that every benchmark has."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument(
        "--out", type=Path, default=OUT, help="where the table and the numbers go; default: %(default)s"
    )
    return options


def markdown(rows: Sequence[Row]) -> str:
    """A table with the first row's titles."""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *([_shown(value) for value in row.values()] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _shown(value: str | float) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def report(name: str, rows: Sequence[Row], out: Path) -> None:
    """Print the table, and write it and the numbers to `out`/`name`.md and .json."""
    table = markdown(rows)
    print(f"\n{table}")
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{name}.md").write_text(table)
    (out / f"{name}.json").write_text(json.dumps({"machine": machine(), "rows": list(rows)}, indent=1) + "\n")
