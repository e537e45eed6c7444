"""Draws what was measured: `plot.py numbers.json plot.png`, in the environment that has matplotlib (scripts/bench)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import mean

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot


def main(numbers: Path, picture: Path) -> None:
    """Two panels over the number of connections: right answers a second, and p50 with p99 above it."""
    groups: dict[str, dict[int, list[dict[str, float]]]] = {}
    for each in json.loads(numbers.read_text())["measurements"]:
        groups.setdefault(each["system"], {}).setdefault(each["connections"], []).append(each["load"])
    figure, (speed, latency) = pyplot.subplots(1, 2, figsize=(13, 5))
    for system, by_connections in groups.items():
        connections = sorted(by_connections)
        loads = [by_connections[count] for count in connections]
        ours = system in ("floor", "embedded") or system.startswith("cluster")
        style = {"linestyle": "-" if ours else "--", "marker": "o"}
        rates = [mean((load["requests"] - load["wrong"]) / load["seconds"] for load in rounds) for rounds in loads]
        (line,) = speed.plot(connections, rates, label=system, **style)
        p50, p99 = ([mean(load[name] for load in rounds) for rounds in loads] for name in ("p50_ms", "p99_ms"))
        latency.plot(connections, p50, label=system, color=line.get_color(), **style)
        latency.fill_between(connections, p50, p99, color=line.get_color(), alpha=0.08)
    for axes, title in ((speed, "right answers a second"), (latency, "latency in ms: p50, shaded up to p99")):
        axes.set(title=title, xlabel="connections", xscale="log", yscale="log")
        axes.set_xticks(sorted({count for group in groups.values() for count in group}))
        axes.get_xaxis().set_major_formatter("{x:g}")
        axes.grid(visible=True, which="both", alpha=0.3)
    speed.legend()
    figure.tight_layout()
    figure.savefig(picture, dpi=120)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
