"""What storing request timings costs: the same cluster with and without it, in turn, several rounds.

Run it with `scripts/bench timings`. Only the gateway is restarted in between; the medians of all rounds are compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

from tests.benchmarks.report import Row, parser, report
from tests.benchmarks.systems import at, family_of, load_sample
from tests.benchmarks.usage import Usage
from tests.benchmarks.wrk import load
from tests.support.own_node import running_system
from tests.support.system import System
from tests.support.waiting import wait_until

STORED, NOT_STORED = "stored", "not stored"
SETTINGS = {STORED: "gateway_site.settings", NOT_STORED: "tests.benchmarks.without_timings"}


@dataclass
class Found:
    """What the rounds of one variant measured."""

    per_second: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    gateway_us: list[float] = field(default_factory=list)
    bad: int = 0
    requests: int = 0
    rows_stored: int = 0


def measure(system: System, variant: str, found: Found, connections: int, seconds: int) -> None:
    """One round of one variant."""
    system.gateway.env["DJANGO_SETTINGS_MODULE"] = SETTINGS[variant]
    system.restart_gateway()
    stored_before = system.query("PredictionTiming.objects.count()")
    warm_up = load(at(system.url), connections, 3)
    parts = {"gateway": family_of(system.gateway)}
    before = Usage.of(parts)
    measured = load(at(system.url), connections, seconds)
    gateway_seconds = Usage.of(parts).cpu_since(before)["gateway"]
    found.per_second.append(measured.right_per_second)
    found.p50_ms.append(measured.p50_ms)
    found.gateway_us.append(gateway_seconds / (measured.requests or 1) * 1e6)
    found.bad += measured.wrong + measured.errors
    found.requests += warm_up.requests + measured.requests
    found.rows_stored += _stored(system) - stored_before
    print(f"{variant:12} {measured.right_per_second:8.0f}/s  gateway {found.gateway_us[-1]:.0f} us", flush=True)


def _stored(system: System) -> int:
    """How many timings the database has once the gateway has written all that it held."""
    counts = [-1]

    def settled() -> bool:
        counts.append(system.query("PredictionTiming.objects.count()"))
        return counts[-1] == counts[-2]

    wait_until(settled, 120.0, "all timings are written")
    return counts[-1]


def row(variant: str, it: Found, base: Found) -> Row:
    """A line of the table."""
    lost = 1 - median(it.per_second) / median(base.per_second)
    return {
        "timings": variant,
        "right answers/s, median": median(it.per_second),
        "lost": f"{lost:.1%}",
        "p50 ms": median(it.p50_ms),
        "gateway's CPU µs a request": median(it.gateway_us),
        "requests": it.requests,
        "rows stored": it.rows_stored,
        "wrong or none": it.bad,
    }


def main() -> None:
    """Measure and report."""
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    options.add_argument("--seconds", type=int, default=10, help="of each measurement; default: %(default)s")
    options.add_argument("--connections", type=int, default=64, help="default: %(default)s")
    chosen = options.parse_args()
    found = {variant: Found() for variant in SETTINGS}
    with running_system(1) as system:
        load_sample(system)
        for number in range(chosen.rounds):
            # Each is first in every other round.
            for variant in [*SETTINGS][:: 1 if number % 2 == 0 else -1]:
                measure(system, variant, found[variant], chosen.connections, chosen.seconds)
    report("timings", [row(variant, it, found[NOT_STORED]) for variant, it in found.items()], chosen.out)


if __name__ == "__main__":
    main()
