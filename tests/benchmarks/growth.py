"""A million predictions: what each process's memory was after the first ten thousand, and what it is in the end.

Run it with `scripts/bench growth [--predictions 1000000]`.
"""

from __future__ import annotations

from tests.benchmarks.report import parser, report
from tests.benchmarks.systems import at, load_sample
from tests.benchmarks.wrk import load
from tests.support.own_node import running_system
from tests.support.switching import memory_megabytes
from tests.support.system import System

FIRST = 10_000
LOOK_SECONDS = 10


class Growth:
    """Predictions made so far, and the memory that was seen."""

    def __init__(self, system: System, connections: int) -> None:
        self._system = system
        self._connections = connections
        self.made = 0
        self.bad = 0

    def predict(self, count: int) -> dict[str, float]:
        """Predict until so many predictions were made in all; the memory then, in MiB."""
        while self.made < count:
            measured = load(at(self._system.url), self._connections, 2 if count == FIRST else LOOK_SECONDS)
            assert measured.requests, measured
            self.made += measured.requests
            self.bad += measured.wrong + measured.errors
            held = memory_megabytes(self._system)
            print(f"{self.made:9}" + "".join(f"  {name} {each:.1f}" for name, each in held.items()), flush=True)
        return memory_megabytes(self._system)


def main() -> None:
    """Measure and report."""
    options = parser(__doc__)
    options.add_argument("--predictions", type=int, default=1_000_000, help="default: %(default)s")
    options.add_argument("--connections", type=int, default=64, help="default: %(default)s")
    chosen = options.parse_args()
    with running_system(1) as system:
        load_sample(system)
        growth = Growth(system, chosen.connections)
        first = growth.predict(FIRST)
        at_first = growth.made
        last = growth.predict(chosen.predictions)
    rows = [
        {
            "process": name,
            f"RSS MiB after {at_first}": first[name],
            f"after {growth.made}": last[name],
            "growth": f"{last[name] / first[name] - 1:+.1%}" if first[name] else "",
        }
        for name in first
    ]
    report("growth", rows, chosen.out)
    print(f"wrong or none: {growth.bad}")


if __name__ == "__main__":
    main()
