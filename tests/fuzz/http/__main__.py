"""Sends hostile requests to a gateway that is started for it, and tells what became of them.

usage: python -m tests.fuzz.http [--cases 100000] [--seed 1] [--connections 32] [--cluster]

Ends with 1 when an answer was wrong, missing, or one too many, when a case hung, or when the gateway kept something.
"""

from __future__ import annotations

import argparse
import sys
from time import perf_counter

from tests.fuzz.http.gateway import cluster, embedded, log
from tests.fuzz.http.run import run


def main() -> None:
    """Run, print, and end with 1 when something failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--cluster", action="store_true")
    options = parser.parse_args()
    with cluster() if options.cluster else embedded() as system:
        warm_up = run(system.url, range(options.seed, options.seed + options.cases // 10), options.connections)
        began = perf_counter()
        summary = run(system.url, range(options.seed, options.seed + options.cases), options.connections)
        print(summary.table())
        print(f"{perf_counter() - began:.0f} s")
        text = log(system)
        print(len(text), "log bytes", text.count("Traceback"), "traces", text.count("failed with"))
        print(text[text.find("Traceback") :][:6000] if "Traceback" in text else "")
    sys.exit(1 if summary.findings or warm_up.findings else 0)


if __name__ == "__main__":
    main()
