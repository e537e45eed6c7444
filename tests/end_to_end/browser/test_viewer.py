"""What a member of the group `viewer` can do in the admin: look at everything, and change nothing."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.end_to_end.browser.conftest import Visit
from tests.end_to_end.browser.content import NETWORK, NN_ID, PAGES
from tests.support.people import VIEWER
from tests.support.system import System

SEEN = [
    "dashboard", "networks", "network", "workers", "activations", "activation", "failed activation", "requests",
    "failed requests", "versions", "version",
]  # fmt: skip
CHANGES = {
    "upload": PAGES["upload"],
    "upload of a version": PAGES["upload of a version"],
    "loading what was uploaded": f"{NETWORK}/versions/1/load/",
    "activation": PAGES["activate"],
    "rollback": PAGES["roll back"],
    "deletion": PAGES["delete"],
}
BUTTONS = "#upload, #rollback, #confirm, [data-action=activate], [data-action=delete], form[data-weight-change]"
#: To log out is all that may be sent.
SENDS = "form[method=post i]:not([action*=logout]) :is(button, [type=submit])"


def test_a_viewer_sees_all_pages_and_no_button_that_changes_anything(visit: Visit) -> None:
    page = visit(VIEWER)
    for name in SEEN:
        answer = page.goto(PAGES[name])
        assert answer is not None
        assert answer.status == 200, name
        assert page.locator(BUTTONS).count() == 0, name
        assert page.locator(SENDS).count() == 0, name


def test_a_viewer_sees_what_there_is_to_see(visit: Visit) -> None:
    page = visit(VIEWER)
    page.goto(PAGES["network"])
    expect(page.locator("#active-version")).to_have_text("version 2")
    expect(page.locator("[data-version='1'] [data-action=download]")).to_be_visible()
    page.goto(PAGES["failed activation"])
    expect(page.locator("#reports [data-loaded=false] .pl-trace")).to_have_count(2)
    expect(page.get_by_role("link", name="Users")).to_have_count(0)


def test_changes_that_a_viewer_sends_by_hand_are_refused(visit: Visit, system: System) -> None:
    page = visit(VIEWER)
    page.goto(PAGES["network"])
    token = next(each["value"] for each in page.context.cookies() if each["name"] == "csrftoken")
    before = system.client.network(NN_ID)
    for change, path in CHANGES.items():
        answer = page.context.request.post(path, headers={"X-CSRFToken": token, "Referer": page.url})
        assert answer.status == 403, change
        assert "members of the group <strong>operator</strong>" in answer.text(), change
    assert system.client.network(NN_ID) == before
