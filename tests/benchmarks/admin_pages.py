"""How long each page of the admin takes with 10 million requests, 1,001 networks and 1,000 versions in the database.

Run it with `scripts/bench admin_pages`: in a private PostgreSQL; with `--database sqlite`, one million requests. Pages
are asked for as an operator's browser does, one at a time, from a gateway of two processes with a worker on RabbitMQ.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter

from tests.benchmarks.query_counts import HEADER
from tests.benchmarks.report import Row, parser, report
from tests.benchmarks.statistics_queries import database, filled
from tests.support.admin_browser import Browser
from tests.support.own_node import running_node
from tests.support.system import System

#: No page may take longer.
ALLOWED_MS = 500


def fill(count: int, until: datetime) -> None:
    """Everything that pages show, and a look of the database at what it has."""
    from tests.benchmarks.filled_networks import fill_networks, fill_people

    started = perf_counter()
    fill_networks(until)
    fill_people()
    print(f"networks, versions, activations and people after {perf_counter() - started:.0f} s", flush=True)
    filled(count, until, others=True)


def measured(browser: Browser, pages: dict[str, str], runs: int) -> list[Row]:
    """Each page's first time, those of some more, and its queries; the shortest is what it takes without neighbours."""
    rows: list[Row] = []
    for name, path in pages.items():
        first, *more = (_milliseconds(browser, path) for _ in range(1 + runs))
        queries = int(browser.get(path, {HEADER: "yes"}).headers[HEADER])
        times = {"first ms": first, "shortest ms": min(more), "median ms": median(more), "longest ms": max(more)}
        rows.append({"page": name, **times, "queries": queries})
        slow = "  SLOW" if max(first, *more) > ALLOWED_MS else ""
        print(f"{name:50}" + "".join(f"{ms:9.1f}" for ms in times.values()) + f"{queries:4}{slow}", flush=True)
    return rows


def _milliseconds(browser: Browser, path: str) -> float:
    started = perf_counter()
    response = browser.get(path)
    taken = (perf_counter() - started) * 1000
    assert response.status_code == 200, (path, response.status_code, response.text[:1000])
    return taken


def asked(until: datetime, runs: int) -> list[Row]:
    """Ask a gateway on the filled database for every page."""
    from tests.benchmarks.admin_paths import paths
    from tests.benchmarks.filled_networks import NAME, PASSWORD

    folder = Path(os.environ["PIPELINE_DATA_DIR"])
    # What was filled in stays, and what pages show is there as soon as it is asked for.
    settings = {
        "PIPELINE_TIMINGS_MAX_ROWS": "100000000",
        "DJANGO_SETTINGS_MODULE": "tests.benchmarks.counted_settings",
        "PIPELINE_DATA_DIR": str(folder),
    }
    with running_node(folder / "rabbitmq") as node:
        system = System(folder / "system", node.url, os.environ["DATABASE_URL"], **settings)
        try:
            system.start(1)
            browser = Browser(system.url)
            assert browser.log_in(NAME, PASSWORD).status_code == 302
            return measured(browser, paths(until), runs)
        finally:
            system.stop()


def main() -> None:
    """Measure one database and report."""
    options = parser(__doc__)
    options.add_argument("--database", choices=["postgresql", "sqlite"], default="postgresql")
    options.add_argument("--timings", type=int, help="default: 10 million in PostgreSQL, one million in SQLite")
    options.add_argument("--runs", type=int, default=9, help="of each page after the first; default: %(default)s")
    chosen = options.parse_args()
    count = chosen.timings or {"postgresql": 10_000_000, "sqlite": 1_000_000}[chosen.database]
    with database(chosen.database):
        until = datetime.now(UTC)
        fill(count, until)
        rows = asked(until, chosen.runs)
    report(f"admin-pages-{chosen.database}", rows, chosen.out)


if __name__ == "__main__":
    main()
