"""What 1,000 connections that do nothing cost the others: the cluster with and without them, in turn, several rounds.

Run it with `scripts/bench idle_connections`.
"""

from __future__ import annotations

import resource
import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from statistics import median
from urllib.parse import urlsplit

from tests.benchmarks.report import Row, parser, report
from tests.benchmarks.systems import Running, cluster
from tests.benchmarks.usage import Usage
from tests.benchmarks.wrk import Load, load
from tests.support.memory import resident_mb

CONNECT_SECONDS = 10.0
#: Files that this process has open beside the connections.
OTHER_FILES = 256


@dataclass
class Found:
    """What the rounds with so many idle connections measured."""

    loads: list[Load] = field(default_factory=list)
    gateway_us: list[float] = field(default_factory=list)
    gateway_mb: list[float] = field(default_factory=list)
    #: How many of the idle ones the gateway had closed by the end of a round.
    closed: int = 0


def allow_files(count: int) -> None:
    """Let this process have so many connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count + OTHER_FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count + OTHER_FILES, hard))


@contextmanager
def idle(url: str, count: int) -> Iterator[list[socket.socket]]:
    """So many connections on which nothing is ever said."""
    at = urlsplit(url)
    with ExitStack() as stack:
        address = (at.hostname or "", at.port or 80)
        yield [stack.enter_context(socket.create_connection(address, CONNECT_SECONDS)) for _ in range(count)]


def closed(connections: list[socket.socket]) -> int:
    """How many of them the other side has closed: it has nothing else to say."""
    looking = select.poll()
    for each in connections:
        looking.register(each, select.POLLIN)
    return len(looking.poll(0))


def measure(running: Running, count: int, found: Found, connections: int, seconds: int) -> None:
    """One round with so many idle connections."""
    with idle(running.question.url, count) as doing_nothing:
        load(running.question, connections, 2)
        before = Usage.of(running.parts)
        measured = load(running.question, connections, seconds)
        taken = Usage.of(running.parts).cpu_since(before)["gateway"]
        found.closed += closed(doing_nothing)
        found.gateway_mb.append(resident_mb(running.parts["gateway"]()))
    found.loads.append(measured)
    found.gateway_us.append(taken / (measured.requests or 1) * 1e6)
    print(f"{count:5} idle  {measured.right_per_second:8.0f}/s  gateway {found.gateway_us[-1]:.0f} us", flush=True)


def row(count: int, it: Found, base: Found) -> Row:
    """A line of the table."""
    rate, base_rate = (median(load.right_per_second for load in each.loads) for each in (it, base))
    return {
        "idle connections": count,
        "right answers/s, median": rate,
        "of those without": rate / base_rate if base_rate else 0.0,
        "p50 ms": median(load.p50_ms for load in it.loads),
        "p99 ms": median(load.p99_ms for load in it.loads),
        "gateway's CPU µs a request": median(it.gateway_us),
        "gateway's RSS MB": median(it.gateway_mb),
        "idle ones closed": it.closed,
        "wrong or none": sum(load.wrong + load.errors for load in it.loads),
    }


def main() -> None:
    """Measure and report."""
    options = parser(__doc__)
    options.add_argument("--idle", type=int, default=1000, help="default: %(default)s")
    options.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    options.add_argument("--seconds", type=int, default=10, help="of each measurement; default: %(default)s")
    options.add_argument("--connections", type=int, default=64, help="that ask; default: %(default)s")
    chosen = options.parse_args()
    found = {0: Found(), chosen.idle: Found()}
    with cluster(1) as running:
        allow_files(chosen.idle)
        for number in range(chosen.rounds):
            # Each is first in every other round.
            for count in [*found][:: 1 if number % 2 == 0 else -1]:
                measure(running, count, found[count], chosen.connections, chosen.seconds)
    report("idle-connections", [row(count, it, found[0]) for count, it in found.items()], chosen.out)


if __name__ == "__main__":
    main()
