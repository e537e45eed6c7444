"""Markdown tables of what was measured: the rounds' means, ratios to others, and where processor time went."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import mean
from typing import Any

from tests.benchmarks.ratios import ratios
from tests.benchmarks.report import markdown

Measured = dict[str, Any]
REFERENCES = ("litserve", "mlserver", "triton", "floor")


def tables(found: dict[str, Any]) -> str:
    """All tables, with a line about the machine."""
    it, rows = found["machine"], merged(found["measurements"])
    about = f"{it['processor']}, {it['cores']} cores, Python {it['python']}, commit {it['commit']}, {it['measured_at']}"
    left_out = "".join(f"{name} is left out: {reason}.\n\n" for name, reason in found.get("left_out", {}).items())
    text = f"{about}\n\n{left_out}{speeds(rows)}\n{costs(rows)}"
    other = found.get("against")
    return f"{text}\n{ratios(found['measurements'], other)}" if other else text


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
    """Right answers a second and latency, and how many times that of each reference."""
    known = {(row["system"], row["connections"]): row["per_second"] for row in rows}
    references = [name for name in REFERENCES if any(row["system"] == name for row in rows)]
    lines = []
    for row in sorted(rows, key=lambda row: row["connections"]):
        line = {
            "connections": row["connections"],
            "system": row["system"],
            "right answers/s": round(row["per_second"]),
            "p50 ms": f"{row['p50_ms']:.2f}",
            "p90 ms": f"{row['p90_ms']:.2f}",
            "p99 ms": f"{row['p99_ms']:.2f}",
            "wrong or none": row["bad"],
        }
        ratios = {name: _ratio(row, known.get((name, row["connections"]))) for name in references}
        lines.append(line | {f"x {name}": ratio for name, ratio in ratios.items()})
    return markdown(lines)


def costs(rows: list[Measured]) -> str:
    """Processor time a request and memory by part, and how evenly the front's processes shared the work."""
    return markdown(
        [
            {
                "system": row["system"],
                "connections": row["connections"],
                "CPU µs a request": round(sum(row["cpu_us"].values())),
                "of it": _parts(row["cpu_us"]),
                "wrk's own µs": round(row["wrk_us"]),
                "RSS MB": _parts(row["rss_mb"]),
                "busy front processes": row["processes"],
                "busiest one's share of their CPU": f"{row['busiest']:.0%}",
            }
            for row in rows
        ]
    )


def _ratio(row: Measured, reference: float | None) -> str:
    return f"{row['per_second'] / reference:.2f}" if reference else ""


def _parts(values: dict[str, float]) -> str:
    return ", ".join(f"{part} {value:.0f}" for part, value in sorted(values.items()))
