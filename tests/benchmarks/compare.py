"""Every system in turn, alone on the machine, several rounds: requests a second, latency, processor time, memory.

`scripts/bench` runs it; it writes a table, the numbers and a plot. Options: scripts/bench --help.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from inference.client.http_client import ClientError
from inference.supervision.errors import SupervisionError
from tests.benchmarks import peers, report
from tests.benchmarks.checkout import Checkout, check_out
from tests.benchmarks.machine import machine
from tests.benchmarks.plot import draw
from tests.benchmarks.systems import OF_OTHER_COMMITS, OWN, Running, Start, of_other
from tests.benchmarks.table import tables
from tests.benchmarks.usage import Usage
from tests.benchmarks.wrk import Load, load
from tests.support.memory import resident_mb

SYSTEMS = OWN | peers.PEERS | peers.MORE
DEFAULT = ("floor", "embedded", "cluster", *peers.PEERS)
Systems = dict[str, Start]
#: Before the first measurement of a system, and before each.
FIRST_WARM_UP_SECONDS, WARM_UP_SECONDS = 4, 2


@dataclass(frozen=True)
class Measurement:
    """One system under one number of connections, in one round."""

    system: str
    round: int
    connections: int
    load: Load
    #: Microseconds of processor time a request, by part.
    cpu_us: dict[str, float]
    rss_mb: dict[str, float]
    #: Each busy front process's share of the front's processor time, and its resident memory, in the same order.
    shares: list[float]
    front_mb: list[float]


def arguments() -> argparse.Namespace:
    """What is measured."""
    parser = report.parser(__doc__)
    parser.add_argument("--only", default=",".join(DEFAULT), help=f"some of {','.join(SYSTEMS)}; default: %(default)s")
    parser.add_argument("--connections", default="1,16,64,256", help="default: %(default)s")
    parser.add_argument("--seconds", type=int, default=10, help="of each measurement; default: %(default)s")
    parser.add_argument("--rounds", type=int, default=2, help="default: %(default)s")
    parser.add_argument("--workers", type=int, default=1, help="of the cluster; default: %(default)s")
    parser.add_argument(
        "--against", metavar="COMMIT", help=f"measure {', '.join(OF_OTHER_COMMITS)} of another commit as well, in turn"
    )
    parser.add_argument("--quick", action="store_true", help="one round of 3 s at 1, 16 and 64 connections")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.connections, chosen.seconds, chosen.rounds = "1,16,64", 3, 1
    chosen.only = chosen.only.split(",")
    chosen.connections = [int(number) for number in chosen.connections.split(",")]
    if unknown := set(chosen.only) - set(SYSTEMS):
        parser.error(f"no such system: {', '.join(sorted(unknown))}")
    if chosen.against and not set(chosen.only) & set(OF_OTHER_COMMITS):
        parser.error(f"--against is for {', '.join(OF_OTHER_COMMITS)}")
    return chosen


def systems(names: Sequence[str], other: Checkout | None) -> Systems:
    """What is started, by its name, in the order of a round: another commit's follows ours at once."""
    found: Systems = {}
    for name in names:
        found[name] = SYSTEMS[name]
        if other and name in OF_OTHER_COMMITS:
            found[f"{name}, {other.commit}"] = of_other(name, other)
    return found


def leave_out(chosen: argparse.Namespace) -> dict[str, str]:
    """Do without what cannot run on this machine; each system's reason, which is said as well."""
    left_out = {name: reason for name in chosen.only if (reason := peers.why_not(name))}
    for name, reason in left_out.items():
        print(f"{name} is left out: {reason}", file=sys.stderr, flush=True)
    chosen.only = [name for name in chosen.only if name not in left_out]
    if not chosen.only:
        sys.exit("nothing else was to be measured")
    return left_out


def measure(running: Running, connections: int, seconds: int) -> dict[str, Any]:
    """One measurement of a system that answers."""
    before = Usage.of(running.parts)
    measured = load(running.question, connections, seconds)
    after = Usage.of(running.parts)
    requests = measured.requests
    assert requests, f"no answer on {connections} connections in {seconds} s"
    shares = after.shares_since(before, running.front)
    return {
        "connections": connections,
        "load": measured,
        "cpu_us": {part: taken / requests * 1e6 for part, taken in after.cpu_since(before).items()},
        "rss_mb": after.rss_mb,
        "shares": [*shares.values()],
        "front_mb": [resident_mb([pid]) for pid in shares],
    }


def measure_system(name: str, start: Start, number: int, chosen: argparse.Namespace) -> list[Measurement]:
    """A system from its start to its end."""
    measurements = []
    with start(chosen.workers) as running:
        load(running.question, 8, 1 if chosen.quick else FIRST_WARM_UP_SECONDS)
        for connections in chosen.connections:
            load(running.question, connections, 1 if chosen.quick else WARM_UP_SECONDS)
            measurements.append(Measurement(name, number, **measure(running, connections, chosen.seconds)))
            say(measurements[-1])
    return measurements


def say(it: Measurement) -> None:
    """One line at once: the whole takes minutes."""
    cpu = " ".join(f"{part} {micros:.0f}" for part, micros in sorted(it.cpu_us.items()))
    latency = f"p50 {it.load.p50_ms:8.2f}  p99 {it.load.p99_ms:8.2f} ms"
    bad = (
        f"  WRONG {it.load.wrong} ERRORS {it.load.errors} {it.load.example}" if it.load.wrong or it.load.errors else ""
    )
    start = f"{it.round}  {it.system:20} {it.connections:4}"
    print(f"{start}  {it.load.right_per_second:8.0f}/s  {latency}  us a request: {cpu}{bad}", flush=True)


def measure_all(systems: Systems, chosen: argparse.Namespace) -> tuple[list[Measurement], list[str]]:
    """All rounds; a system that fails is left out of its round, and what it said is returned."""
    measurements, failures = [], []
    for number in range(1, chosen.rounds + 1):
        for name, start in systems.items():
            try:
                measurements += measure_system(name, start, number, chosen)
            except (AssertionError, RuntimeError, SupervisionError, ClientError) as error:
                failures.append(f"{name}, round {number}: {error}")
                print(failures[-1], file=sys.stderr, flush=True)
    return measurements, failures


def main() -> None:
    """Measure, and write what was found."""
    chosen = arguments()
    left_out = leave_out(chosen)
    try:
        other = check_out(chosen.against) if chosen.against else None
    except RuntimeError as error:
        sys.exit(f"--against {chosen.against}: {error}")
    measurements, failures = measure_all(systems(chosen.only, other), chosen)
    found = {
        "machine": machine(),
        "against": other.commit if other else "",
        "left_out": left_out,
        "measurements": [asdict(each) for each in measurements],
        "failures": failures,
    }
    chosen.out.mkdir(parents=True, exist_ok=True)
    numbers = chosen.out / "numbers.json"
    numbers.write_text(json.dumps(found, indent=1) + "\n")
    text = tables(found)
    (chosen.out / "table.md").write_text(text)
    print(f"\n{text}\nwritten to {chosen.out}")
    draw(numbers, chosen.out / "plot.png")
    if failures:
        sys.exit("\n".join(["failed:", *failures]))


if __name__ == "__main__":
    main()
