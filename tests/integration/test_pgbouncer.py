"""PostgreSQL by a PgBouncer in transaction mode, as most companies run it: nothing may depend on a session."""

from __future__ import annotations

import csv
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from inference.supervision.rabbitmq import PrivateNode
from tests.integration.conftest import running
from tests.support.admin_browser import Browser
from tests.support.database_tests import DATABASE_TESTS, run_on
from tests.support.people import PASSWORD, VIEWER, make_people
from tests.support.samples import samples
from tests.support.system import System

#: Several pieces of a download.
STORED = 25_000
DOWNLOADS, AT_ONCE = 12, 4
STORE = f"""
from django.utils import timezone
from inference.models import PredictionTiming
one = dict(outcome="answered", nn_id="{samples()[0].nn_id}", version=1, worker="w", rows=1, batch_rows=1, total_ms=1.0)
for _ in range(5):
    PredictionTiming.objects.bulk_create(
        [PredictionTiming(at=timezone.now(), queue_ms=0.1, inference_ms=0.1, **one) for _ in range({STORED} // 5)]
    )
"""


@pytest.fixture(scope="module")
def system(rabbitmq: PrivateNode, pgbouncer: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Two workers, two gateway processes."""
    for started in running(System(tmp_path_factory.mktemp("pooled"), rabbitmq.url, pgbouncer), workers=2):
        yield started.load_first_sample()


def test_the_unit_tests_of_the_database_pass_on_postgresql(pgbouncer: str) -> None:
    run_on(pgbouncer, DATABASE_TESTS)


def test_downloads_are_whole_while_predictions_run(system: System) -> None:
    made = system.manage("shell", "--verbosity", "0", "-c", STORE)
    assert made.returncode == 0, made.stderr
    make_people(system)
    browser = Browser(system.url)
    assert browser.log_in(VIEWER, PASSWORD).status_code == 302
    ended = threading.Event()

    def predict(_: int) -> int:
        count = 0
        while not ended.is_set():
            assert system.client.predict([0.1, 0.2])["message"] == samples()[0].nn_id
            count += 1
        return count

    def download(_: int) -> int:
        lines = browser.page("/admin/inference/predictiontiming/csv/").splitlines()
        return sum(1 for row in csv.DictReader(lines) if row["outcome"] == "answered")

    with ThreadPoolExecutor(AT_ONCE + 2) as pool:
        predictions = [pool.submit(predict, number) for number in range(2)]
        try:
            counts = list(pool.map(download, range(DOWNLOADS), timeout=240))
        finally:
            ended.set()
        predicted = [each.result(60) for each in predictions]
    browser.close()

    assert min(counts) >= STORED, counts
    assert min(predicted) > 0
    log = system.gateway.log.read_text()
    assert "does not exist" not in log
    assert "Traceback" not in log, log[-3000:]
