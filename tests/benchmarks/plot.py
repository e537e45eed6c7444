"""Draws what `scripts/bench` has measured; `python -m tests.benchmarks.plot numbers.json plot.png` draws it again."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import mean

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot

OURS = ("floor", "embedded", "cluster")


def draw(numbers: Path, picture: Path) -> None:
    """Three panels over the number of connections: right answers a second, p50, p99; each the rounds' mean."""
    groups: dict[str, dict[int, list[dict[str, float]]]] = {}
    for each in json.loads(numbers.read_text())["measurements"]:
        load = each["load"] | {"rate": (each["load"]["requests"] - each["load"]["wrong"]) / each["load"]["seconds"]}
        groups.setdefault(each["system"], {}).setdefault(each["connections"], []).append(load)
    titles = {"rate": "right answers a second", "p50_ms": "p50 latency, ms", "p99_ms": "p99 latency, ms"}
    figure, panels = pyplot.subplots(1, 3, figsize=(16, 5))
    for axes, (name, title) in zip(panels, titles.items(), strict=True):
        for system, by_connections in groups.items():
            connections = sorted(by_connections)
            values = [mean(load[name] for load in by_connections[count]) for count in connections]
            ours = system.startswith(OURS)
            marker = "x" if ", " in system else "o"  # another commit's
            axes.plot(connections, values, label=system, linestyle="-" if ours else "--", marker=marker)
        axes.set(title=title, xlabel="connections", xscale="log", yscale="log")
        axes.set_xticks(sorted({count for group in groups.values() for count in group}))
        axes.get_xaxis().set_major_formatter("{x:g}")
        axes.grid(visible=True, which="both", alpha=0.3)
    panels[0].legend()
    figure.tight_layout()
    figure.savefig(picture, dpi=110)


def main() -> None:
    """Draw one picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("numbers", type=Path)
    parser.add_argument("picture", type=Path)
    chosen = parser.parse_args()
    draw(chosen.numbers, chosen.picture)


if __name__ == "__main__":
    main()
