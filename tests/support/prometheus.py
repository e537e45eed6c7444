"""A private Prometheus for tests: own port on loopback, own directory; and its promtool."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import requests

from inference.supervision.addresses import LOOPBACK, free_ports
from inference.supervision.processes import Child
from tests.support.waiting import wait_until
from workers.settings import ROOT

START_SECONDS = 30.0
DOCS = ROOT / "docs" / "monitoring"


def installed() -> bool:
    """Whether Prometheus is there."""
    return bool(shutil.which("prometheus") and shutil.which("promtool"))


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run promtool to its end."""
    program = shutil.which("promtool") or "promtool"
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)


def dashboard_queries() -> list[str]:
    """Every query of the dashboard, as Grafana sends it."""
    dashboard = json.loads((DOCS / "dashboard.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    return [query.replace("$__rate_interval", "1m").replace("$instance", ".+") for query in queries]


class PrivatePrometheus:
    """One server that scrapes one gateway every half second, with the rules of the documentation."""

    def __init__(self, directory: Path, target: str) -> None:
        self._url = f"http://{LOOPBACK}:{free_ports(1)[0]}"
        config = directory / "prometheus.yml"
        scrape = {"job_name": "pipeline", "scrape_interval": "500ms", "scrape_timeout": "500ms"}
        scrape["static_configs"] = [{"targets": [target]}]  # type: ignore[assignment]
        config.write_text(json.dumps({"scrape_configs": [scrape], "rule_files": [str(DOCS / "alerts.yml")]}))
        self._child = Child(
            "prometheus",
            [
                "prometheus",
                f"--config.file={config}",
                f"--storage.tsdb.path={directory / 'data'}",
                f"--web.listen-address={self._url.removeprefix('http://')}",
            ],
            log=directory / "prometheus.log",
        )

    def start(self) -> PrivatePrometheus:
        """Start it, and wait until it answers."""
        self._child.start()
        wait_until(self._ready, START_SECONDS, "Prometheus answers")
        return self

    def stop(self) -> None:
        """End it."""
        self._child.stop()

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The samples that a query finds now."""
        answer = requests.get(f"{self._url}/api/v1/query", {"query": expression}, timeout=10).json()
        assert answer["status"] == "success", f"{expression}: {answer}"
        return list(answer["data"]["result"])

    def value(self, expression: str) -> float | None:
        """The value of a query that finds one sample, or none yet."""
        samples = self.query(expression)
        return float(samples[0]["value"][1]) if samples else None

    def _ready(self) -> bool:
        try:
            return requests.get(f"{self._url}/-/ready", timeout=2).ok
        except requests.ConnectionError:
            return False
