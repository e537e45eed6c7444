"""GET /metrics, /healthz and /readyz, with what they look at replaced."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from inference.errors import BrokerUnavailableError
from inference.health.health_checks import Served
from inference.monitoring.catalogue import CATALOGUE
from inference.versions.asking import Answers
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import NEXT_VERSION, NN_ID, OTHER_NN_ID, VERSION, worker_measures
from workers.messages.protocol import VersionRef

OTHER = VersionRef(OTHER_NN_ID, 7, VERSION.digest, VERSION.architecture)
AWAY: list[Exception] = [TimeoutError(), OperationalError("password=secret")]


def scrape(client: Client) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample by its name and labels, as prometheus_client's parser reads them."""
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(response.content.decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_every_sample_is_in_the_catalogue_with_its_kind_and_labels(client: Client, gateway: PretendedGateway) -> None:
    text = client.get("/metrics").content.decode()
    for family in text_string_to_metric_families(text):
        metric = CATALOGUE.get(family.name) or CATALOGUE[f"{family.name}_total"]
        assert family.type == metric.kind
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(metric.labels)


def test_the_fleet_and_the_processes_are_told_of(client: Client, gateway: PretendedGateway) -> None:
    gateway.health.what_is_served = Served(NEXT_VERSION, [OTHER])
    gateway.health.what_workers_tell = Answers([worker_measures("w1"), worker_measures('w "2"')], 1)

    samples = scrape(client)

    assert samples["pipeline_requests_held", ()] == 3
    assert samples["pipeline_workers", ()] == 3
    assert samples["pipeline_workers_silent", ()] == 1
    assert samples["pipeline_active_version", (("default", "true"), ("nn_id", NN_ID))] == 2
    assert samples["pipeline_active_version", (("default", "false"), ("nn_id", OTHER_NN_ID))] == 7
    assert samples["pipeline_worker_version", (("nn_id", NN_ID), ("worker", 'w "2"'))] == 1
    assert samples["pipeline_worker_rows_total", (("worker", "w1"),)] == 5
    assert samples["pipeline_worker_inference_seconds_bucket", (("le", "0.0005"), ("worker", "w1"))] == 1
    assert samples["pipeline_worker_inference_seconds_bucket", (("le", "+Inf"), ("worker", "w1"))] == 2
    assert samples["pipeline_up", (("part", "database"),)] == samples["pipeline_up", (("part", "broker"),)] == 1


@pytest.mark.parametrize("error", AWAY)
def test_while_the_database_is_away_the_rest_is_told(
    error: Exception, client: Client, gateway: PretendedGateway
) -> None:
    gateway.health.what_is_served = error

    samples = scrape(client)

    assert samples["pipeline_up", (("part", "database"),)] == 0
    assert samples["pipeline_workers", ()] == 1


@pytest.mark.parametrize("error", [TimeoutError(), BrokerUnavailableError("the broker cannot be reached")])
def test_while_the_broker_is_away_the_rest_is_told(error: Exception, client: Client, gateway: PretendedGateway) -> None:
    gateway.health.what_workers_tell = error

    samples = scrape(client)

    assert samples["pipeline_up", (("part", "broker"),)] == 0
    assert samples["pipeline_requests_held", ()] == 3
    assert not any(name.startswith("pipeline_workers") for name, _ in samples)


def test_a_process_that_lives_says_so_and_looks_at_nothing(client: Client) -> None:
    response = client.get("/healthz")  # without a gateway, and without a database

    assert (response.status_code, response.json()) == (200, {"status": True, "message": "OK"})


def ready(client: Client) -> tuple[int, Any]:
    response = client.get("/readyz")
    return response.status_code, response.json()


def test_while_the_default_network_alone_is_not_active_the_others_are_served(
    client: Client, gateway: PretendedGateway
) -> None:
    gateway.health.what_is_served = Served(None, [OTHER])

    assert client.get("/readyz").status_code == 200


def test_with_database_broker_and_a_worker_it_is_ready(client: Client, gateway: PretendedGateway) -> None:
    status, answer = ready(client)

    assert (status, answer["status"], answer["message"]) == (200, True, "OK")
    assert {name: check["status"] for name, check in answer["checks"].items()} == {
        "database": True,
        "broker": True,
        "workers": True,
    }


@pytest.mark.parametrize("error", AWAY)
def test_without_a_database_it_is_not_ready_and_says_nothing_of_where_it_is(
    error: Exception, client: Client, gateway: PretendedGateway
) -> None:
    gateway.health.what_is_served = error

    status, answer = ready(client)

    assert (status, answer["status"]) == (503, False)
    assert answer["message"].startswith("database: ")
    assert "secret" not in str(answer)
    assert answer["checks"]["broker"]["status"] is True


def test_without_a_broker_it_is_not_ready(client: Client, gateway: PretendedGateway) -> None:
    gateway.health.what_workers_tell = BrokerUnavailableError("the broker cannot be reached")

    status, answer = ready(client)

    assert status == 503
    assert "broker: the broker cannot be reached" in answer["message"]


@pytest.mark.parametrize(
    ("served", "workers", "reason"),
    [
        (Served(None, []), Answers([worker_measures()], 0), "PUT /set_weights"),
        (Served(VERSION, []), Answers([], 0), "no worker is connected"),
        (Served(VERSION, []), Answers([], 2), "2 connected, none answers"),
        (Served(OTHER, []), Answers([worker_measures()], 0), "none of 1 has loaded the default network"),
        (Served(VERSION, []), Answers([worker_measures(version=None)], 0), "none of 1 has loaded"),
    ],
)
def test_without_a_worker_that_has_the_default_network_it_is_not_ready(
    served: Served, workers: Any, reason: str, client: Client, gateway: PretendedGateway
) -> None:
    gateway.health.what_is_served, gateway.health.what_workers_tell = served, workers

    status, answer = ready(client)

    assert status == 503
    assert reason in answer["checks"]["workers"]["message"]


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz"])
def test_nothing_is_sent_there(path: str, client: Client) -> None:
    assert client.post(path).status_code == 405
