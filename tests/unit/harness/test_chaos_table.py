"""The table that scripts/chaos writes."""

from __future__ import annotations

from pathlib import Path

from tests.chaos import table
from tests.chaos.facing import Faced
from tests.chaos.table import BEGIN, END

FAULTS = ["one", "two", "three"]


def faced(fault: str, right: int, refused: int = 0) -> Faced:
    return Faced(fault, right + refused, right, 0, refused, 0, 1.5, 0.25, "back after 1 s")


def test_a_fault_that_is_run_again_replaces_its_line_and_keeps_the_others(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}{END}after\n")

    table.write([faced("three", 3)], FAULTS, page)
    table.write([faced("one", 1000), faced("gone", 5)], FAULTS, page)
    table.write([faced("three", 30, refused=7)], FAULTS, page)

    text = page.read_text()
    assert text.startswith(f"before\n{BEGIN}| fault | sent |")
    assert text.endswith(f"{END}after\n")
    assert text.splitlines()[4:6] == [
        "| one | 1,000 | 1,000 | 0 | 0 | 0 | 1.50 s |  | back after 1 s |",
        "| three | 37 | 30 | 0 | 7 | 0 | 1.50 s | 0.25 s | back after 1 s |",
    ]
    assert "gone" not in text
