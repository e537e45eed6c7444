"""The table of what clients saw of each fault, in docs/reliability.md between two markers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.chaos.facing import Faced
from workers.settings import ROOT

PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- table: written by scripts/chaos -->\n", "<!-- end of the table -->\n"
TITLES = ("fault", "sent", "right", "wrong", "refused", "failed", "longest wait", "longest wait for a refusal", "what")


def write(faced: Sequence[Faced], faults: Sequence[str], page: Path = PAGE) -> None:
    """Put the lines of these faults into the page's table; it keeps the others', in the order of `faults`' names."""
    before, _, rest = page.read_text().partition(BEGIN)
    table, _, after = rest.partition(END)
    lines = {line.split("|")[1].strip(): line for line in table.splitlines()[2:]}
    lines |= {each.fault: _line(_columns(each)) for each in faced}
    head = [_line(TITLES), _line(["---"] * len(TITLES))]
    body = [lines[fault] for fault in faults if fault in lines]
    page.write_text(before + BEGIN + "\n".join([*head, *body]) + "\n" + END + after)


def _columns(faced: Faced) -> list[str]:
    counts = [faced.sent, faced.right, faced.wrong, faced.refused, faced.failed]
    refusal = f"{faced.worst_refusal_seconds:.2f} s" if faced.refused else ""
    return [faced.fault, *(f"{count:,}" for count in counts), f"{faced.worst_seconds:.2f} s", refusal, faced.about]


def _line(columns: Sequence[str]) -> str:
    return f"| {' | '.join(columns)} |"
