"""Pictures of every page of the admin, on a desk and a phone, light and dark: `python -m` this, --out DIR."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.end_to_end.browser.content import BAD_FILE, PAGES, RECORDS
from tests.support.chromium import PHONE, Window, new_context, running_chromium
from tests.support.own_node import running_system
from tests.support.people import OPERATOR, SUPERUSER, log_in, make_people
from tests.support.readers import readers_stopped
from tests.support.samples import samples
from tests.support.system import System
from tests.support.uploads import scaled_weights
from tests.support.waiting import wait_until
from workers.settings import ROOT

WINDOWS = {"desktop": Window(1440, 800), "phone": PHONE}
SCHEMES = ("light", "dark")
VERSIONS = 5
#: Requests that the workers really answered.
ASKED = 200
#: After `make_past`, the activation and the version of the bad file have other keys.
SHOWN = PAGES | {
    "dashboard of a day": "/admin/?range=day",
    "failed activation": f"{RECORDS}/activation/{VERSIONS + 3}/change/",
    "version": f"{RECORDS}/version/{VERSIONS + 3}/change/",
}


def make_past(system: System) -> None:
    """Three networks, the first of which was changed some times, once in vain; and a week of requests."""
    client, (first, *others) = system.client, samples()
    for other in others:
        client.set_weights(other.nn_id, other.file.name, other.file.read_bytes())
    for number in range(VERSIONS):
        client.set_weights(first.nn_id, f"sum-{number + 1:02d}.weights.h5", scaled_weights(0, 1 - number / 1000))
    client.set_weights(first.nn_id, BAD_FILE.name, BAD_FILE.read_bytes())
    client.activate(first.nn_id, 3)
    client.rollback(first.nn_id)
    for _ in range(ASKED):
        client.predict([0.1, 0.2])
    wait_until(lambda: system.query("PredictionTiming.objects.count()") == ASKED, 30.0, "all requests are stored")
    workers = [worker["worker"] for worker in client.status()["workers"]]
    past = [sys.executable, "-m", "tests.support.past_week", OPERATOR, *workers]
    subprocess.run(past, env=system.environment, cwd=ROOT, check=True)


class Camera:
    """Takes pictures into a folder."""

    def __init__(self, out: Path) -> None:
        self._out = out
        out.mkdir(parents=True, exist_ok=True)

    def take(self, page: Page, name: str, look: str) -> None:
        """The part of a page that its window shows."""
        path = self._out / f"{name.replace(' ', '-')}-{look}.png"
        page.screenshot(path=path, animations="disabled")
        print(path, path.stat().st_size // 1000, "kB", flush=True)


def windows(browser: Browser, system: System) -> Iterator[tuple[Page, str]]:
    """A superuser's page in a window of each kind, and what the kind is called."""
    for (kind, window), scheme in product(WINDOWS.items(), SCHEMES):
        context = new_context(browser, system.url, window, scheme)
        page = context.new_page()
        log_in(page, SUPERUSER)
        yield page, f"{kind}-{scheme}"
        context.close()


def main(out: Path) -> None:
    """Start a system, give it a past, and take the pictures."""
    camera = Camera(out)
    with running_system(2) as system:
        make_past(system)
        make_people(system)
        with running_chromium() as browser:
            for page, look in windows(browser, system):
                for name, path in SHOWN.items():
                    page.goto(path, wait_until="networkidle")
                    camera.take(page, name, look)
            for number, (page, look) in enumerate(windows(browser, system)):
                upload(page, system, number, camera, look)


def upload(page: Page, system: System, number: int, camera: Camera, look: str) -> None:
    """An upload while one worker has reported and the other has not, by the form."""
    page.goto(PAGES["upload of a version"])
    weights = scaled_weights(0, 0.9 - number / 1000)
    page.locator("[name=data]").set_input_files(
        {"name": f"sum-{VERSIONS + 2}.weights.h5", "mimeType": "application/octet-stream", "buffer": weights}
    )
    with readers_stopped(system, system.workers[1]):
        page.locator("#confirm").click()
        expect(page.locator("#reports [data-loaded=true]")).to_have_count(1)
        camera.take(page, "reports", look)
    expect(page.locator("#outcome")).to_have_text("activated")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the folder to write them to")
    main(parser.parse_args().out)
