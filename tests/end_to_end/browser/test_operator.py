"""What a member of the group `operator` does in the admin: uploads, activates, rolls back, downloads, deletes."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.end_to_end.browser.conftest import Visit
from tests.end_to_end.browser.content import BAD_FILE, PAGES, network_page, new_weights
from tests.support.chromium import Watch
from tests.support.people import OPERATOR, log_in
from tests.support.readers import readers_stopped
from tests.support.system import System


def fill_upload(page: Page, nn_id: str, file: Path) -> None:
    """Fill in the form of an upload."""
    page.goto(PAGES["networks"])
    page.locator("#upload").click()
    page.locator("[name=nn_id]").fill(nn_id)
    page.locator("[name=data]").set_input_files(file)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A good file."""
    path = tmp_path / "new.weights.h5"
    path.write_bytes(new_weights())
    return path


def test_an_operator_logs_in_and_out_by_the_form(visit: Visit) -> None:
    page = visit(None)
    log_in(page, OPERATOR)
    expect(page.get_by_role("link", name="Networks").first).to_be_visible()
    page.get_by_text(OPERATOR, exact=True).last.click()
    page.get_by_role("button", name="Log out").click()
    page.goto(PAGES["networks"])
    expect(page.get_by_label("Username")).to_be_visible()


def test_a_network_is_tried_from_its_page(page: Page, system: System, file: Path) -> None:
    nn_id = uuid4().hex
    fill_upload(page, nn_id, file)
    page.locator("#confirm").click()
    page.get_by_role("link", name="To the network").click()
    page.locator("#try").click()
    expect(page.locator("[name=rows]")).to_have_value('{"data": [[0.0, 0.0]]}')

    page.locator("[name=rows]").fill('{"vector": [0.1, 0.2]}')
    page.locator("#ask").click()

    result = system.client.predict([0.1, 0.2], nn_id=nn_id)["result"]
    expect(page.locator("#result")).to_have_text(str(result))
    expect(page.locator("#made-by")).to_have_text("1")
    page.locator("[name=rows]").fill("[[1]]")
    page.locator("#ask").click()
    expect(page.locator("#trouble-what")).to_contain_text("RowsError: the network takes rows of shape (2,), got (1,)")


def test_reports_show_while_workers_make_them_and_the_version_becomes_active(
    page: Page, system: System, file: Path
) -> None:
    nn_id = uuid4().hex
    fill_upload(page, nn_id, file)
    with readers_stopped(system, system.workers[1]):
        page.locator("#confirm").click()
        expect(page.locator("#reports-count")).to_have_text("1 of 2 workers have reported so far.")
        expect(page.locator("#reports [data-loaded=true]")).to_have_count(1)
        expect(page.locator("#confirm")).to_be_disabled()
    expect(page.locator("#outcome")).to_have_text("activated")
    expect(page.locator("#reports [data-loaded=true]")).to_have_count(2)
    expect(page.get_by_text("Version 1 is active: 2 workers loaded it.")).to_be_visible()
    page.get_by_role("link", name="To the network").click()
    expect(page.locator("#active-version")).to_have_text("version 1")
    assert system.client.predict([0.1, 0.2])["message"] == nn_id


def test_a_bad_file_shows_each_workers_trace_and_what_was_active_stays(
    page: Page, system: System, network: str
) -> None:
    fill_upload(page, network, BAD_FILE)
    page.locator("#confirm").click()
    expect(page.locator("#outcome")).to_have_text("failed")
    expect(page.get_by_text("Version 3 is not active: 2 of 2 workers did not load it.")).to_be_visible()
    traces = page.locator("#reports [data-loaded=false] .pl-trace")
    expect(traces).to_have_count(2)
    for trace in traces.all_inner_texts():
        assert "Traceback (most recent call last):\n" in trace
        assert "WeightsError: the weights file cannot be read" in trace
    page.get_by_role("link", name="To the network").click()
    expect(page.locator("#active-version")).to_have_text("version 2")
    expect(page.locator("[data-version='3']")).to_have_attribute("data-state", "failed")
    assert system.client.predict([0.1, 0.2], nn_id=network)["version"] == 2


def test_a_wrong_form_says_so_and_keeps_what_was_filled_in(page: Page, watch: Watch, file: Path) -> None:
    fill_upload(page, "no name", file)
    page.locator("#confirm").click()
    expect(page.locator("#trouble-what")).to_have_text("A network's id is 32 lower-case hex digits.")
    expect(page.locator("#confirm")).to_be_enabled()
    expect(page.locator("[name=nn_id]")).to_have_value("no name")
    assert watch.take() == [f"400 {PAGES['upload']}"]


def test_a_version_is_activated_after_a_question_and_rolled_back(page: Page, system: System, network: str) -> None:
    active = page.locator("#active-version")
    page.goto(network_page(network))
    expect(active).to_have_text("version 2")
    page.locator("[data-version='1'] [data-action=activate]").click()
    expect(page.locator("#question")).to_contain_text("Every worker loads version 1")
    page.locator("#cancel").click()
    expect(active).to_have_text("version 2")

    page.locator("[data-version='1'] [data-action=activate]").click()
    page.get_by_role("button", name="Activate version 1").click()
    expect(page.locator("#outcome")).to_have_text("activated")
    page.locator("#network").click()
    expect(active).to_have_text("version 1")
    assert system.client.predict([0.1, 0.2], nn_id=network)["version"] == 1

    page.locator("#rollback").click()
    expect(page.locator("#question")).to_contain_text("every worker loads version 2")
    page.get_by_role("button", name="Roll back to version 2").click()
    expect(page.locator("#outcome")).to_have_text("activated")
    page.locator("#network").click()
    expect(active).to_have_text("version 2")
    assert system.client.predict([0.1, 0.2], nn_id=network)["version"] == 2


def test_a_download_is_what_was_uploaded(page: Page, file: Path) -> None:
    nn_id = uuid4().hex
    fill_upload(page, nn_id, file)
    page.locator("#confirm").click()
    expect(page.locator("#outcome")).to_have_text("activated")
    page.goto(network_page(nn_id))
    with page.expect_download() as coming:
        page.locator("[data-version='1'] [data-action=download]").click()
    assert coming.value.path().read_bytes() == file.read_bytes()


def test_a_version_is_deleted_after_a_question(page: Page, network: str) -> None:
    page.goto(network_page(network))
    page.locator("[data-version='1'] [data-action=delete]").click()
    page.get_by_role("button", name="Delete version 1").click()
    expect(page.locator("[data-version='1']")).to_have_attribute("data-state", "deleted")
    expect(page.locator("[data-version='1'] [data-action]")).to_have_count(0)
