"""Sends hostile requests to a gateway that is started for it, and tells what became of them.

usage: python -m tests.fuzz.http [--cases 100000] [--seed 1] [--connections 32] [--seconds S] [--cluster]

Ends with 1 when an answer was wrong, missing, or one too many, when a case hung, or when the gateway kept something.
"""

from __future__ import annotations

import argparse
import sys
from math import inf

from tests.fuzz.http.gateway import cluster, embedded
from tests.fuzz.http.trial import try_out


def main() -> None:
    """Run, print, and end with 1 when something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=inf, help="begin no case later than so")
    parser.add_argument("--cluster", action="store_true", help="two gateway processes and two workers on a RabbitMQ")
    options = parser.parse_args()
    with cluster() if options.cluster else embedded() as system:
        seeds = range(options.seed, options.seed + options.cases)
        trial = try_out(system, seeds, options.connections, options.seconds)
    print(trial)
    sys.exit(1 if trial.findings else 0)


if __name__ == "__main__":
    main()
