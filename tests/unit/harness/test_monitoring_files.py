"""The dashboard and the alert rules: what promtool says of them, and that they name metrics that there are."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from inference.monitoring.catalogue import CATALOGUE
from tests.support import prometheus
from tests.support.prometheus import DOCS, dashboard_queries, promtool
from tests.support.requirement import require
from workers.settings import ROOT

PARTS = ("", "_bucket", "_sum", "_count")


@pytest.fixture
def _promtool() -> None:
    require(prometheus.installed(), "prometheus")


@pytest.mark.usefixtures("_promtool")
def test_promtool_finds_nothing_wrong_with_the_rules_and_the_example() -> None:
    for arguments in (
        ("check", "rules", "--lint-fatal", DOCS / "alerts.yml"),
        ("check", "config", DOCS / "prometheus.yml"),
    ):
        done = promtool(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.usefixtures("_promtool")
def test_the_alerts_fire_when_they_should_and_only_then() -> None:
    done = promtool("test", "rules", ROOT / "tests" / "data" / "alerts_test.yml")

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.usefixtures("_promtool")
def test_promtool_can_read_every_query_of_the_dashboard(tmp_path: Path) -> None:
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(dashboard_queries())]
    assert len(rules) > 20
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))

    done = promtool("check", "rules", tmp_path / "rules.yml")

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", ["dashboard.json", "alerts.yml"])
def test_every_metric_that_is_named_is_there(file: str) -> None:
    named = set(re.findall(r"\bpipeline_[a-z_]+", (DOCS / file).read_text()))
    series = {metric.name + part for metric in CATALOGUE.values() for part in PARTS}

    assert len(named) > 5
    assert named <= series


def test_every_alert_is_explained() -> None:
    alerts = set(re.findall(r"alert: (\w+)", (DOCS / "alerts.yml").read_text()))
    explained = set(re.findall(r"\| `(Pipeline\w+)` \|", (DOCS / "README.md").read_text()))

    assert alerts == explained
    assert alerts == {name for name in alerts if name in (ROOT / "tests" / "data" / "alerts_test.yml").read_text()}


def test_panels_lie_beside_one_another_and_have_titles_of_their_own() -> None:
    panels = json.loads((DOCS / "dashboard.json").read_text())["panels"]
    places = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not places & cells
        assert place["x"] + place["w"] <= 24
        places |= cells
    assert len({panel["title"] for panel in panels}) == len(panels)
