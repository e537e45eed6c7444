"""The admin as an operator's browser sees it: everything to look at, nothing to write, and no other host asked."""

from __future__ import annotations

import base64
import html
import platform
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest
import requests

from tests.support.admin_browser import Browser
from tests.support.admin_page import rows
from tests.support.samples import samples
from tests.support.service import Service
from tests.support.waiting import wait_until

NAME, PASSWORD = "operator", "a long enough secret"
RECORDS = ("network", "version", "activation", "predictiontiming")
ADDRESSES = {"href", "src", "action", "data", "poster", "srcset", "formaction"}
ABSOLUTE = re.compile(r"(?:https?:)?//[^\s\"'<>)]+")
NAMESPACE = re.compile(r'xmlns="[^"]*"')  # a name that looks like an address; nobody asks it


class Page(HTMLParser):
    """The addresses that a page names, and those among them that a browser fetches to show it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect a tag's addresses."""
        named = [value for name, value in attrs if name in ADDRESSES and value]
        self.addresses += named
        if tag in ("link", "script", "img"):
            self.fetched += named


@pytest.fixture(scope="module")
def watched(served: Service) -> Service:
    """The service after two uploads, one of them bad, a prediction and a superuser's registration."""
    assert "true" in served.script("set_weights2.sh").stdout
    assert "failed" in served.script("set_weights_bad_tensors.sh").stdout
    assert served.client.predict([0.1, 0.2])["status"] is True
    secrets = {"DJANGO_SUPERUSER_USERNAME": NAME, "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    made = served.manage("createsuperuser", "--noinput", "--email", "operator@example.com", **secrets)
    assert (made.returncode, made.stderr) == (0, "")
    return served


@pytest.fixture(scope="module")
def browser(watched: Service) -> Iterator[Browser]:
    """A browser in which the superuser has logged in."""
    one = Browser(watched.url)
    welcome = one.log_in(NAME, PASSWORD)
    assert (welcome.status_code, welcome.headers["Location"]) == (302, "/admin/")
    yield one
    one.close()


@pytest.fixture
def stranger(watched: Service) -> Iterator[Browser]:
    """A browser in which nobody has logged in."""
    one = Browser(watched.url)
    yield one
    one.close()


def links(page: str, pattern: str) -> list[str]:
    """The paths of a page's links that match."""
    return [address for address in Page(page).addresses if re.fullmatch(pattern, address)]


def failed_version(browser: Browser) -> str:
    """The path of the bad upload's page, found as a person finds it."""
    (path,) = set(links(browser.page("/admin/inference/version/?state__exact=failed"), r"/.*/version/\d+/change/.*"))
    return path.partition("?")[0]


@pytest.mark.parametrize("path", ["/admin/", *(f"/admin/inference/{name}/" for name in RECORDS)])
def test_a_stranger_is_sent_to_the_login(stranger: Browser, path: str) -> None:
    answer = stranger.get(path)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/admin/login/?next={path}")


def test_a_wrong_password_is_refused(stranger: Browser) -> None:
    answer = stranger.log_in(NAME, "a wrong one")
    assert answer.status_code == 200
    assert "Please enter the correct username and password" in answer.text
    assert stranger.get("/admin/").status_code == 302


def test_a_form_without_the_token_is_refused(stranger: Browser) -> None:
    url = f"{stranger.url}/admin/login/"
    assert requests.post(url, data={"username": NAME, "password": PASSWORD}, timeout=60).status_code == 403


def test_networks_show_their_active_version_and_the_default(browser: Browser) -> None:
    page = browser.page("/admin/inference/network/")
    assert all(sample.nn_id in page for sample in samples()[:2])
    (path,) = set(links(page, rf".*/network/{samples()[1].nn_id}/change/"))
    network = browser.page(path)
    assert samples()[1].file.name in network
    assert 'data-version="1" data-state="loaded" data-active="true"' in network


def test_a_failed_version_leads_to_the_workers_trace_as_text(browser: Browser) -> None:
    version = browser.page(failed_version(browser))
    assert "bad_tensors.b64" in version
    (listing,) = set(links(version, r"/.*/activation/\?version__id__exact=\d+"))
    (path,) = set(links(browser.page(listing), r"/.*/activation/\d+/change/.*"))
    page = browser.page(path)
    traces = re.findall(r'<pre class="pl-trace"[^>]*>(.*?)</pre>', page, re.DOTALL)
    (trace,) = [html.unescape(trace) for trace in traces]
    assert "Traceback (most recent call last):\n" in trace
    assert "WeightsError: the weights file cannot be read" in trace
    assert "worker@embedded" in page


def test_a_prediction_shows_with_its_times(browser: Browser) -> None:
    def row() -> dict[str, str]:
        page = browser.page(f"/admin/inference/predictiontiming/?nn_id={samples()[1].nn_id}")
        return next(iter(rows(page)), {})

    shown = wait_until(row, 60.0, "the timing of the prediction is in the list")
    assert shown["outcome"] == "answered"
    assert shown["worker"] == "worker@embedded"
    for field in ("total", "queue", "inference"):
        assert re.fullmatch(r"\d+\.\d\d", shown[field]), field


def test_the_worker_tells_what_it_runs(browser: Browser) -> None:
    page = browser.page("/admin/workers/")
    assert 'data-worker="worker@embedded"' in page
    assert platform.python_version() in page
    assert samples()[1].nn_id in page


def test_weights_are_uploaded_activated_rolled_back_downloaded_and_deleted(browser: Browser, watched: Service) -> None:
    sample = samples()[2]
    network = f"/admin/inference/network/{sample.nn_id}/"

    def active() -> str:
        found = re.search('id="active-version">([^<]*)<', browser.page(f"{network}change/"))
        assert found
        return found[1]

    for number in (1, 2):
        ended = browser.post("/admin/inference/network/upload/", {"nn_id": sample.nn_id}, sample.file)
        assert ended.status_code == 302
        assert f"Version {number} is active: 1 worker loaded it." in browser.page(ended.headers["Location"])
    for change, active_then in (("versions/1/activate/", "version 1"), ("rollback/", "version 2")):
        assert 'id="confirm"' in browser.page(network + change)
        assert browser.post(network + change).status_code == 302
        assert active() == active_then
    weights = browser.get(f"{network}versions/1/download/")
    assert weights.content == base64.b64decode(sample.file.read_bytes())
    assert browser.post(f"{network}versions/1/delete/").status_code == 302
    assert browser.get(f"{network}versions/1/download/").status_code == 404
    assert watched.client.predict([0.1, 0.2])["version"] == 2


def test_records_offer_nothing_to_write(browser: Browser) -> None:
    pages = ["/admin/", *(f"/admin/inference/{name}/" for name in RECORDS), failed_version(browser)]
    pages.append(f"/admin/inference/network/{samples()[1].nn_id}/change/")
    for path in pages:
        page = browser.page(path)
        assert links(page, r".*/inference/.*(add|\w/delete)/.*") == [], path
        assert "delete_selected" not in page, path
        assert not re.search(r'name="_(save|continue|addanother)"', page), path


@pytest.mark.parametrize("record", RECORDS)
def test_records_accept_nothing_that_is_written(browser: Browser, record: str) -> None:
    listing = f"/admin/inference/{record}/"

    def ids() -> list[str]:
        return sorted(set(re.findall(rf"/inference/{record}/(\w+)/change/", browser.page(listing))))

    # The list of requests leads to no page of a single one; the first is there.
    before = ["1"] if record == "predictiontiming" else wait_until(ids, 60.0, f"there is a {record}")
    assert browser.post(f"{listing}add/", {"nn_id": "0" * 32, "network": samples()[0].nn_id}).status_code == 403
    for one in before:
        assert browser.post(f"{listing}{one}/change/", {"state": "loaded", "_save": "Save"}).status_code == 403
        assert browser.post(f"{listing}{one}/delete/", {"post": "yes"}).status_code == 403
        assert browser.get(f"{listing}{one}/delete/").status_code == 403
    browser.post(listing, {"action": "delete_selected", "_selected_action": before[0], "post": "yes"})
    assert browser.get(f"{listing}{before[0]}/change/").status_code == 200


def test_every_page_comes_with_its_styles_and_scripts_and_asks_no_other_host(browser: Browser) -> None:
    pages = ["/admin/", "/admin/workers/", *(f"/admin/inference/{name}/" for name in RECORDS), failed_version(browser)]
    network = f"/admin/inference/network/{samples()[1].nn_id}/"
    pages += ["/admin/inference/network/upload/", f"{network}change/", f"{network}upload/"]
    files = set()
    for path in pages:
        text = NAMESPACE.sub("", browser.page(path))
        assert {found for found in ABSOLUTE.findall(text) if not found.startswith(browser.url)} == set(), path
        page = Page(text)
        files |= {urljoin(path, address) for address in page.fetched}
        for address in page.addresses:
            assert urlsplit(address).netloc in ("", urlsplit(browser.url).netloc), (path, address)
    assert any(file.endswith(".css") for file in files)
    assert any(file.endswith(".js") for file in files)
    for file in sorted(files):
        answer = browser.get(file)
        assert answer.status_code == 200, file
        assert re.match("text/css|text/javascript|image/", answer.headers["Content-Type"]), file
        if file.endswith(".css"):
            assert not re.search(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", answer.text), file
