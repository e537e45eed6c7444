"""Markdown tables of what was measured: the rounds' means, ratios to others, and where processor time went."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from statistics import mean
from typing import Any

Measured = dict[str, Any]
REFERENCES = ("litserve", "mlserver", "floor")


def tables(found: dict[str, Any]) -> str:
    """All tables, with a line about the machine."""
    it, rows = found["machine"], merged(found["measurements"])
    about = f"{it['processor']}, {it['cores']} cores, Python {it['python']}, commit {it['commit']}, {it['measured_at']}"
    return f"{about}\n\n{speeds(rows)}\n{costs(rows)}"


def merged(measurements: Iterable[Measured]) -> list[Measured]:
    """One row for each system and number of connections: means of the rounds, sums of what went wrong."""
    groups: dict[tuple[str, int], list[Measured]] = {}
    for each in measurements:
        groups.setdefault((each["system"], each["connections"]), []).append(each)
    return [_merge(system, connections, rounds) for (system, connections), rounds in groups.items()]


def _merge(system: str, connections: int, rounds: list[Measured]) -> Measured:
    loads = [each["load"] for each in rounds]
    averaged = {name: mean(load[name] for load in loads) for name in ("p50_ms", "p90_ms", "p99_ms")}
    return {
        "system": system,
        "connections": connections,
        "per_second": mean((load["requests"] - load["wrong"]) / load["seconds"] for load in loads),
        "bad": sum(load["wrong"] + load["errors"] for load in loads),
        "cpu_us": _by_part(rounds, "cpu_us"),
        "rss_mb": _by_part(rounds, "rss_mb"),
        "wrk_us": mean(load["wrk_cpu_seconds"] / (load["requests"] or 1) * 1e6 for load in loads),
        "busiest": max(max(each["shares"], default=0.0) for each in rounds),
        "processes": max(len(each["shares"]) for each in rounds),
        **averaged,
    }


def _by_part(rounds: list[Measured], field: str) -> dict[str, float]:
    return {part: mean(each[field][part] for each in rounds) for part in rounds[0][field]}


def speeds(rows: list[Measured]) -> str:
    """Right answers a second and latency, and how often that of each reference."""
    known = {(row["system"], row["connections"]): row["per_second"] for row in rows}
    references = [name for name in REFERENCES if any(row["system"] == name for row in rows)]
    columns: dict[str, Callable[[Measured], str]] = {
        "connections": lambda row: str(row["connections"]),
        "system": lambda row: row["system"],
        "right answers/s": lambda row: f"{row['per_second']:.0f}",
        "p50 ms": lambda row: f"{row['p50_ms']:.2f}",
        "p90 ms": lambda row: f"{row['p90_ms']:.2f}",
        "p99 ms": lambda row: f"{row['p99_ms']:.2f}",
        "wrong or none": lambda row: str(row["bad"]),
    }
    for name in references:
        columns[f"x {name}"] = lambda row, name=name: _ratio(row, known.get((name, row["connections"])))
    return markdown(columns, sorted(rows, key=lambda row: row["connections"]))


def costs(rows: list[Measured]) -> str:
    """Processor time a request and memory by part, and how the connections were spread."""
    columns: dict[str, Callable[[Measured], str]] = {
        "system": lambda row: row["system"],
        "connections": lambda row: str(row["connections"]),
        "CPU µs a request": lambda row: f"{sum(row['cpu_us'].values()):.0f}",
        "of it": lambda row: _parts(row["cpu_us"]),
        "wrk µs": lambda row: f"{row['wrk_us']:.0f}",
        "RSS MB": lambda row: _parts(row["rss_mb"]),
        "front processes": lambda row: str(row["processes"]),
        "busiest one's share": lambda row: f"{row['busiest']:.0%}",
    }
    return markdown(columns, rows)


def markdown(columns: dict[str, Callable[[Measured], str]], rows: Iterable[Measured]) -> str:
    """A table, a column for each name."""
    lines = [list(columns), ["---"] * len(columns), *([show(row) for show in columns.values()] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _ratio(row: Measured, reference: float | None) -> str:
    return f"{row['per_second'] / reference:.2f}" if reference else ""


def _parts(values: dict[str, float]) -> str:
    return ", ".join(f"{part} {value:.0f}" for part, value in sorted(values.items()))
