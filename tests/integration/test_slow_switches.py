"""Weight changes that take long do not keep a gateway from answering, however many are asked for at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import requests

from inference.client.http_client import Answer, ClientError, PipelineClient
from inference.supervision.rabbitmq import PrivateNode
from tests.integration.conftest import running
from tests.support.readers import readers_stopped
from tests.support.samples import samples
from tests.support.system import System
from tests.support.uploads import rival_uploads
from tests.support.waiting import wait_until

AT_MOST = 2
#: As many as the gateway process of this test has threads, and more.
ASKING = 64
SOON_SECONDS = 10.0
SETTINGS = {
    "PIPELINE_GATEWAY_PROCESSES": "1",
    "PIPELINE_QUEUE_REQUESTS_MAX": "8",
    "PIPELINE_WEIGHT_CHANGES_MAX": str(AT_MOST),
    "PIPELINE_LOAD_TIMEOUT": "240",
}


@pytest.fixture
def service(rabbitmq: PrivateNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """One gateway process with few threads, and one worker that has the first sample network."""
    made = System(tmp_path_factory.mktemp("slow"), rabbitmq.url, **SETTINGS)
    for system in running(made, workers=1):
        first = samples()[0]
        assert system.client.set_weights(first.nn_id, first.file.name, first.file.read_bytes())["status"] is True
        yield system


def test_slow_switches_beyond_the_cap_are_503_and_predictions_go_on(service: System) -> None:
    [_, new] = rival_uploads(2)
    clients = [PipelineClient(service.url, 240.0) for _ in range(ASKING)]
    with ThreadPoolExecutor(ASKING) as threads, readers_stopped(service):
        asked = [threads.submit(one.set_weights, new.nn_id, "slow", new.content) for one in clients]
        wait_until(lambda: refused(asked) == ASKING - AT_MOST, 30, "the others are refused")
        for _ in range(10):
            assert service.post("/predict", {"vector": [0.3, 0.7]}, SOON_SECONDS).json()["version"] == 1
            assert service.client.status(SOON_SECONDS)["workers_count"] == 1
        assert rollback(service, new.nn_id).status_code == 503
        assert sum(not one.done() for one in asked) == AT_MOST
    answers = [one.result() for one in asked if one.exception() is None]
    assert [answer["status"] for answer in answers] == [True] * AT_MOST
    # What was refused left nothing behind.
    assert sorted(answer["version"] for answer in answers) == [2, 3]
    assert service.client.network(new.nn_id)["versions_count"] == 1 + AT_MOST
    assert rollback(service, new.nn_id).status_code == 200


def refused(asked: list[Future[Answer]]) -> int:
    """How many are, every one with a 503."""
    errors = [one.exception() for one in asked if one.done()]
    assert all(isinstance(error, ClientError) and error.status_code == 503 for error in errors), errors
    return len(errors)


def rollback(service: System, nn_id: str) -> requests.Response:
    return service.post(f"/networks/{nn_id}/rollback", {})
