"""How an operator finds the requests that failed, and takes them away."""

from __future__ import annotations

import csv
import re

import pytest
from playwright.sync_api import Page, expect

from tests.end_to_end.browser.content import WRONG_ROW, network_page
from tests.support.system import System
from tests.support.waiting import wait_until


@pytest.fixture
def failed_requests(page: Page, system: System, network: str) -> Page:
    """The page of requests, filtered for the two of a network that failed; three others were answered."""
    for row in (WRONG_ROW, [0.1, 0.2], WRONG_ROW, [0.1, 0.2], [0.1, 0.2]):
        system.client.predict(row, nn_id=network)

    def all_are_there() -> bool:
        page.goto(network_page(network))
        page.locator("#requests").click()
        page.wait_for_url("**/predictiontiming/**")
        return page.locator("#requests [data-outcome]").count() == 5

    wait_until(all_are_there, 30.0, "the page of requests shows all five")
    page.locator("#filters [name=outcome]").select_option("failed")
    page.locator("#apply").click()
    page.wait_for_url(re.compile("outcome=failed"))
    return page


def test_failed_requests_are_found_with_version_and_worker(failed_requests: Page, system: System, network: str) -> None:
    rows = failed_requests.locator("#requests [data-outcome]")
    expect(rows).to_have_count(2)
    workers = {worker["worker"] for worker in system.client.status()["workers"]}
    for row in rows.all():
        expect(row).to_have_attribute("data-outcome", "failed")
        expect(row.locator(".field-version")).to_have_text("2")
        expect(row.locator(".field-nn_id")).to_have_attribute("title", network)
        assert row.locator(".field-worker").inner_text() in workers


def test_requests_are_taken_away_as_csv(failed_requests: Page, network: str) -> None:
    with failed_requests.expect_download() as coming:
        failed_requests.locator("#csv").click()
    assert coming.value.suggested_filename.endswith(".csv")
    with coming.value.path().open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [(line["outcome"], line["nn_id"], line["version"]) for line in lines] == [("failed", network, "2")] * 2
