"""How this commit compares with another one that was measured in turn with it: each figure of both, and their ratio."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import mean
from typing import Any

from tests.benchmarks.report import Row, markdown

Measured = dict[str, Any]
ALONE, MANY = 1, 64


@dataclass(frozen=True)
class Figure:
    """What is compared, and with how many connections: None is each number that was measured, 0 the largest of them."""

    title: str
    connections: int | None
    of: Callable[[Measured], float]


FIGURES = (
    Figure("right answers/s", None, lambda it: (it["load"]["requests"] - it["load"]["wrong"]) / it["load"]["seconds"]),
    Figure("p50 ms", ALONE, lambda it: float(it["load"]["p50_ms"])),
    Figure("p99 ms", MANY, lambda it: float(it["load"]["p99_ms"])),
    Figure("gateway's CPU µs a request", MANY, lambda it: float(it["cpu_us"]["gateway"])),
    Figure("RSS MB of a gateway process", 0, lambda it: mean(it["front_mb"] or [0.0])),
)


def ratios(measurements: Iterable[Measured], commit: str) -> str:
    """A table of each system that both commits were measured as; nothing when there is none."""
    by_name: dict[tuple[str, int], dict[int, Measured]] = {}
    for each in measurements:
        by_name.setdefault((each["system"], each["connections"]), {})[each["round"]] = each
    lines = [
        {
            "system": system,
            "figure": figure.title,
            "connections": connections,
            **_compared(figure, ours, by_name[theirs], commit),
        }
        for figure in FIGURES
        for (system, connections), ours in sorted(by_name.items())
        if (theirs := (f"{system}, {commit}", connections)) in by_name
        and _is_wanted(figure, connections, [count for name, count in by_name if name == system])
    ]
    return markdown(sorted(lines, key=lambda line: str(line["system"]))) if lines else ""


def _is_wanted(figure: Figure, connections: int, measured: list[int]) -> bool:
    wanted = max(measured) if figure.connections == 0 else figure.connections
    return wanted in (None, connections)


def _compared(figure: Figure, ours: dict[int, Measured], theirs: dict[int, Measured], commit: str) -> Row:
    now = {number: figure.of(each) for number, each in ours.items()}
    then = {number: figure.of(each) for number, each in theirs.items()}
    return {
        "here": mean(now.values()),
        commit: mean(then.values()),
        "ratio": _ratio(mean(now.values()), mean(then.values())),
        "round by round": ", ".join(_ratio(now[number], then[number]) for number in sorted(now.keys() & then.keys())),
    }


def _ratio(now: float, then: float) -> str:
    return f"{now / then:.2f}" if then else ""
