"""The page of the OpenAPI document: everything is there, and a request can be tried, without another host."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.end_to_end.browser.conftest import Visit
from tests.support.chromium import DESKTOP, PHONE


def test_it_shows_every_operation_and_what_each_answer_means(visit: Visit) -> None:
    for window in (DESKTOP, PHONE):
        page = visit(None, window)
        page.goto("/api/docs")
        paths = page.request.get("/api/schema").json()["paths"]
        expect(page.locator(".opblock")).to_have_count(sum(len(operations) for operations in paths.values()))

        page.locator("#operations-networks-network").click()

        refused = page.locator("#operations-networks-network .response[data-code='404']")
        expect(refused).to_contain_text("There is no network or version of that name.")


def test_a_prediction_can_be_tried(visit: Visit) -> None:
    page = visit(None)
    page.goto("/api/docs")
    predict = page.locator("#operations-predictions-predict")
    predict.click()

    predict.get_by_role("button", name="Execute").click()

    answer = predict.locator(".live-responses-table")
    expect(answer).to_contain_text("200")
    expect(answer).to_contain_text('"status": true')
