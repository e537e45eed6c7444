"""Requests of 1 to 100,000 rows on eight connections: what a row costs as the batch grows, every row checked.

Run it with `scripts/bench rows`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import orjson

from tests.benchmarks.report import Row, parser, report
from tests.benchmarks.systems import Running, cluster
from tests.benchmarks.usage import Usage
from tests.benchmarks.wrk import Question, load
from tests.support.samples import samples

SIZES = (1, 10, 100, 1_000, 10_000, 100_000)
#: From so many rows a request takes long: it is measured three times as long.
MANY = 10_000


def question(running: Running, count: int) -> Question:
    """So many rows of random numbers, and what the network has to answer to them."""
    rows = np.random.default_rng(count).uniform(0.0, 1.0, (count, 2)).round(4)
    body = orjson.dumps({"data": rows.tolist()})
    expected = samples()[0].answers(rows).tolist()
    return replace(running.question, body=body, pattern='"result":(%b[])', expected=expected, tolerance=1e-4)


def measure(running: Running, count: int, connections: int, seconds: int) -> Row:
    """One size."""
    seconds *= 3 if count >= MANY else 1
    asked = question(running, count)
    load(asked, connections, 6 if count >= MANY else 2)
    before = Usage.of(running.parts)
    measured = load(asked, connections, seconds)
    cpu = Usage.of(running.parts).cpu_since(before)
    rows_per_second = measured.right_per_second * count
    row: dict[str, str | int | float] = {
        "rows a request": count,
        "requests/s": measured.right_per_second,
        "rows/s": rows_per_second,
        "µs a row": 1e6 / rows_per_second if rows_per_second else float("inf"),
        "p50 ms": measured.p50_ms,
        "p99 ms": measured.p99_ms,
        "wrong or none": measured.wrong + measured.errors,
    }
    rows = max(1, measured.requests * count)
    return row | {f"{part}: CPU µs a row": taken / rows * 1e6 for part, taken in sorted(cpu.items())}


def main() -> None:
    """Measure and report."""
    options = parser(__doc__)
    options.add_argument("--seconds", type=int, default=10, help="for each size; default: %(default)s")
    options.add_argument("--connections", type=int, default=8, help="default: %(default)s")
    chosen = options.parse_args()
    with cluster(1) as running:
        rows = [measure(running, count, chosen.connections, chosen.seconds) for count in SIZES]
    report("rows", rows, chosen.out)


if __name__ == "__main__":
    main()
