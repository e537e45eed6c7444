"""The dashboard: it shows the fleet and the default network, and follows what happens without being loaded again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.end_to_end.browser.content import PAGES, WRONG_ROW
from tests.support.chromium import Watch
from tests.support.system import System

#: Figures are kept for up to 15 s, and asked for every five.
FOLLOWS_MS = 60_000
COUNT = "Number(document.querySelector('#{}').textContent.replaceAll(',', ''))"


@pytest.fixture
def dashboard(page: Page) -> Iterator[Page]:
    """The page; it may not be loaded again meanwhile."""
    page.goto(PAGES["dashboard"])
    page.evaluate("window.loadedOnce = true")
    yield page
    assert page.evaluate("window.loadedOnce")


def number(page: Page, which: str) -> int:
    """A number that is shown."""
    return int(page.evaluate(COUNT.format(which)))


def test_it_shows_the_fleet(dashboard: Page, system: System) -> None:
    workers = {worker["worker"] for worker in system.client.status()["workers"]}
    expect(dashboard.locator("#fleet")).to_have_attribute("data-count", "2")
    connected = dashboard.locator("#fleet [data-state=connected]")
    expect(connected).to_have_count(2)
    assert {row.get_attribute("data-worker") for row in connected.all()} == workers


def test_requests_show_without_a_reload(dashboard: Page, system: System) -> None:
    count, errors = number(dashboard, "count"), number(dashboard, "errors-count")
    for row in ([0.1, 0.2], [0.3, 0.4], WRONG_ROW):
        system.client.predict(row)
    more = f"{COUNT.format('count')} >= {count + 3} && {COUNT.format('errors-count')} >= {errors + 1}"
    dashboard.wait_for_function(more, timeout=FOLLOWS_MS)


def test_a_switch_shows_without_a_reload(dashboard: Page, system: System, network: str) -> None:
    system.client.activate(network, 1)
    expect(dashboard.locator("#default-network")).to_have_attribute("data-nn-id", network, timeout=FOLLOWS_MS)
    expect(dashboard.locator("#active-version")).to_have_attribute("data-version", "1", timeout=FOLLOWS_MS)
    expect(dashboard.locator("#switches [data-outcome=activated]")).to_have_count(3)


def test_a_range_is_chosen_without_a_reload(dashboard: Page) -> None:
    for name, points in (("week", 168), ("day", 24), ("quarter", 15)):
        dashboard.locator(f"#range [data-range={name}]").click()
        expect(dashboard.locator("#range [aria-current]")).to_have_attribute("data-range", name)
        for chart in ("rate-chart", "latency-chart"):
            # The range's first step is a whole one, and the one that runs may be drawn.
            drawn = f"Math.abs(Chart.getChart('{chart}').data.labels.length - {points}) <= 1"
            dashboard.wait_for_function(drawn, timeout=FOLLOWS_MS)
        assert dashboard.url.endswith(f"?range={name}")


def test_figures_are_said_to_be_old_while_the_gateway_does_not_answer(dashboard: Page, watch: Watch) -> None:
    dashboard.context.set_offline(True)
    expect(dashboard.locator("#stale-what")).to_have_text("The gateway does not answer.", timeout=FOLLOWS_MS)
    dashboard.context.set_offline(False)
    expect(dashboard.locator("#stale")).to_be_hidden(timeout=FOLLOWS_MS)
    assert all("ERR_INTERNET_DISCONNECTED" in fault for fault in watch.take())
