"""/metrics of a real cluster: right across processes and their deaths, and as a real Prometheus reads it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psutil
import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from inference.monitoring.catalogue import CATALOGUE
from inference.supervision.rabbitmq import PrivateNode
from tests.integration.conftest import running
from tests.support import prometheus as prometheus_programs
from tests.support.prometheus import PrivatePrometheus, dashboard_queries
from tests.support.requirement import require
from tests.support.system import System
from tests.support.waiting import wait_until

REQUESTS = 60
SECONDS = 20.0


@pytest.fixture(scope="module")
def system(rabbitmq: PrivateNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Two workers and two gateway processes with the first sample, which have answered REQUESTS predictions."""
    directory = tmp_path_factory.mktemp("system")
    for each in running(System(directory, rabbitmq.url, PIPELINE_STATUS_TIMEOUT="1"), workers=2):
        each.load_first_sample()
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(partial(post, each), [{"vector": [0.1, 0.2]}] * REQUESTS))
        assert all(answer.json()["status"] for answer in answers)
        yield each


def scrape(system: System) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    text = requests.get(f"{system.url}/metrics", timeout=10).text
    families = text_string_to_metric_families(text)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def value(system: System, name: str, **labels: str) -> float:
    return scrape(system)[name, frozenset(labels.items())]


def answered(system: System) -> float:
    return value(system, "pipeline_predictions_total", outcome="answered", door="predict")


def post(system: System, body: Any, **headers: str) -> requests.Response:
    return requests.post(f"{system.url}/predict", json=body, headers=headers, timeout=60)


def test_every_metric_is_there_and_all_processes_count(system: System) -> None:
    wait_until(lambda: answered(system) == REQUESTS, SECONDS, "all predictions are counted")

    samples = scrape(system)

    names = {name.removesuffix("_count") for name, _ in samples}
    assert set(CATALOGUE) <= names
    assert value(system, "pipeline_gateway_processes") == 2
    assert value(system, "pipeline_workers") == 2
    rows = [number for (name, _), number in samples.items() if name == "pipeline_worker_rows_total"]
    assert (len(rows), sum(rows)) == (2, REQUESTS)


def test_a_gateway_process_that_is_killed_takes_no_count_with_it(system: System) -> None:
    before = answered(system)
    master = psutil.Process(system.gateway.pid)
    killed = master.children()[0]
    sleep(1.5)  # what it has counted is written once a second
    os.kill(killed.pid, signal.SIGKILL)
    seen: list[float] = []
    end = monotonic() + SECONDS
    while monotonic() < end and (len(seen) < 5 or len(master.children()) < 2):
        try:
            seen.append(answered(system))
        except requests.ConnectionError:
            pass  # the connection was the killed one's
        sleep(0.1)

    assert post(system, {"vector": [0.1, 0.2]}).json()["status"]

    assert min(seen) >= before
    wait_until(lambda: answered(system) == before + 1, SECONDS, "the count goes on")
    wait_until(lambda: value(system, "pipeline_gateway_processes") == 2, SECONDS, "both processes are there")


def test_a_gateway_that_reloads_goes_on_counting(system: System) -> None:
    before, old = answered(system), gateway_processes(system)
    assert system.gateway.pid is not None
    os.kill(system.gateway.pid, signal.SIGHUP)
    seen: list[float] = []

    def others_work() -> bool:
        seen.append(answered(system))
        return not old & gateway_processes(system) and value(system, "pipeline_gateway_processes") == 2

    wait_until(others_work, SECONDS, "other processes have taken over")

    assert post(system, {"vector": [0.1, 0.2]}).json()["status"]
    assert set(seen) == {before}
    wait_until(lambda: answered(system) == before + 1, SECONDS, "the count goes on")
    os.kill(min(gateway_processes(system)), signal.SIGKILL)
    wait_until(lambda: value(system, "pipeline_gateway_processes") == 1, SECONDS, "one is missed")
    wait_until(lambda: value(system, "pipeline_gateway_processes") == 2, SECONDS, "both are there")
    assert answered(system) == before + 1


def gateway_processes(system: System) -> set[int]:
    return {child.pid for child in psutil.Process(system.gateway.pid).children()}


def test_a_request_id_goes_to_the_log_of_gateway_and_worker(system: System) -> None:
    failed = post(system, {"vector": [0.1, 0.2, 0.3]}, **{"X-Request-ID": "find-me-again"})

    assert failed.headers["X-Request-ID"] == "find-me-again"
    assert failed.json()["status"] is False
    logs = {log.name: log.read_text() for log in system.directory.rglob("log/*.log")}
    naming = {name: text for name, text in logs.items() if "[request find-me-again]" in text}
    assert len(naming) == 2
    assert "gateway.log" in naming
    assert all("failed" in line for text in naming.values() for line in text.splitlines() if "find-me-again" in line)


def test_requests_that_wait_together_keep_their_own_ids(system: System) -> None:
    def ask(number: int) -> bool:
        given = f"request-{number}"
        return post(system, {"vector": [0.1, 0.2]}, **{"X-Request-ID": given}).headers["X-Request-ID"] == given

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, range(200)))


def test_a_real_prometheus_reads_it_and_answers_the_dashboards_queries(system: System, directory: Path) -> None:
    require(prometheus_programs.installed(), "prometheus")
    server = PrivatePrometheus(directory, system.url.removeprefix("http://"))
    try:
        server.start()
        wait_until(lambda: server.value('up{job="pipeline"}') == 1, SECONDS, "Prometheus scrapes the gateway")
        expected = answered(system)

        def value_is_there() -> bool:
            return server.value('sum(pipeline_predictions_total{outcome="answered"})') == expected

        wait_until(value_is_there, SECONDS, "Prometheus has the count")
        assert server.value("count(pipeline_worker_info)") == 2
        for query in dashboard_queries():
            server.query(query)
        assert not server.query('ALERTS{alertstate="firing"}')
    finally:
        server.stop()


def test_it_is_ready_until_its_last_worker_has_gone(system: System) -> None:
    assert requests.get(f"{system.url}/readyz", timeout=10).status_code == 200

    for worker in system.workers:
        worker.stop()

    def is_not_ready() -> bool:
        answer = requests.get(f"{system.url}/readyz", timeout=10)
        return answer.status_code == 503 and answer.json()["checks"]["workers"]["message"] == "no worker is connected"

    wait_until(is_not_ready, SECONDS, "it is not ready")
    assert requests.get(f"{system.url}/healthz", timeout=10).status_code == 200
