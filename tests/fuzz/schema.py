"""Asks a gateway all that its OpenAPI document allows, and much that it does not, by schemathesis.

usage: python -m tests.fuzz.schema [--examples 1000] [--seed 1] [--cluster]

Every answer's status must be documented, and its body and headers as documented; no 5xx but 503, 504 and 507.
Ends with 1 when one is not.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from tests.fuzz.http.gateway import cluster, embedded

CONFIG = Path(__file__).with_name("schema.toml")


def ask(url: str, examples: int, seed: int, folder: Path) -> subprocess.CompletedProcess[str]:
    """Send so many examples for each operation; schemathesis leaves what it remembers in `folder`."""
    options = {
        "--seed": seed,
        "--max-examples": examples,
        "--workers": 1,  # Python 3.11 has a defect by which several threads that parse code fail
        "--request-timeout": 40,
    }
    arguments = [str(part) for option in options.items() for part in option]
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "--no-color", "run"]
    return subprocess.run(
        [*command, f"{url}/api/schema", *arguments, "--continue-on-failure", "--generation-database", "none"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def main() -> None:
    """Run, print, and end with 1 when something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--examples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cluster", action="store_true", help="two gateway processes and two workers on a RabbitMQ")
    options = parser.parse_args()
    with cluster() if options.cluster else embedded() as system:
        done = ask(system.url, options.examples, options.seed, system.directory)
    print(done.stdout, done.stderr)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
