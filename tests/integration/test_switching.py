"""Weight changes while clients predict without a pause: nothing is lost, nothing is mixed, nothing is left over."""

from __future__ import annotations

import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from inference.client.http_client import PipelineClient
from inference.supervision.rabbitmq import PrivateNode
from tests.integration.conftest import running, running_node
from tests.support.load import at_once
from tests.support.postgresql import PrivatePostgresql
from tests.support.predicting_clients import Load, Made, PredictingClients
from tests.support.samples import NN_IDS
from tests.support.switching import Switches
from tests.support.system import System
from tests.support.uploads import Upload, bodies, rival_uploads, rows, uploads
from tests.support.verdict import Switch, judge, latency
from tests.support.waiting import wait_until

CLIENTS = 64
#: After every fourth upload an earlier version is activated: a hundred switches.
UPLOADS = 80
QUIET_SECONDS = 5.0
RIVAL_ROUNDS = 15
#: The sum networks need some thousand bytes, `large_network` some hundred thousand.
SMALL_NETWORKS_ONLY = {"PIPELINE_WORKER_MAX_NETWORK_BYTES": "100000"}


@pytest.fixture(scope="module")
def fleet(rabbitmq: PrivateNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Three workers and a gateway of two processes."""
    yield from running(System(tmp_path_factory.mktemp("fleet"), rabbitmq.url), workers=3)


@pytest.fixture
def shared(postgresql: PrivatePostgresql, tmp_path: Path) -> Iterator[System]:
    """Two workers and a gateway on PostgreSQL; on a node of its own, since `fleet` still runs."""
    database = postgresql.new_database("rivals")
    for node in running_node(tmp_path / "rabbitmq"):
        yield from running(System(tmp_path, node.url, database, PIPELINE_GATEWAY_PROCESSES="1"), workers=2)


def started_with(upload: Upload, system: System) -> Switches:
    """The weight changes of a test, the first of them made."""
    switches = Switches()
    assert switches.upload(system.client, upload)["status"] is True
    return switches


def test_switching_under_load_loses_no_request_and_mixes_no_versions(fleet: System) -> None:
    among = uploads(UPLOADS + 1)
    switches = started_with(among[0], fleet)
    with PredictingClients(Load([fleet.url], bodies(), CLIENTS)) as clients:
        began = time.monotonic()
        threading.Event().wait(QUIET_SECONDS)
        switching = time.monotonic()
        for number in range(1, len(among), 4):
            switches.upload_all([fleet.client], among[number : number + 4])
            switches.activate_earlier(fleet.client)
        ended = time.monotonic()
    verdict = judge(clients.predictions, switches.done, switches.own_answers)
    assert verdict.faultless, f"{verdict}\n{fleet.logs()}"
    assert (len(switches.done), switches.refused) == (101, [])
    named = {each.made for each in clients.predictions}
    assert {made.nn_id for made in named if made} == set(NN_IDS)
    quiet, meanwhile = latency(clients.predictions, began, switching), latency(clients.predictions, switching, ended)
    print(f"\nwithout switches {quiet}\nduring switches {meanwhile}")


def test_a_worker_that_dies_and_one_that_joins_between_switches_lose_and_mix_nothing(fleet: System) -> None:
    among = iter(uploads(500))
    switches = started_with(next(among), fleet)
    earlier = {worker["worker"] for worker in fleet.client.status()["workers"]}

    def joined_and_answering() -> bool:
        switches.upload(fleet.client, next(among))
        workers = fleet.client.status()["workers"]
        return any(each["worker"] not in earlier and each["count_requests_handled"] for each in workers)

    with PredictingClients(Load([fleet.url], bodies(), CLIENTS)) as clients:
        switches.upload_all([fleet.client], [next(among) for _ in range(5)])
        in_the_middle = threading.Timer(0.05, fleet.workers.pop(0).kill)
        in_the_middle.start()
        switches.upload_all([fleet.client], [next(among) for _ in range(5)])
        in_the_middle.join()
        fleet.add_worker()
        wait_until(joined_and_answering, 90, "the new worker answers")
        switches.upload_all([fleet.client], [next(among) for _ in range(5)])
    verdict = judge(clients.predictions, switches.done, switches.own_answers)
    assert verdict.faultless, f"{verdict}\n{fleet.logs()}"
    assert not switches.refused
    fleet.wait_for_workers(3)


def test_what_one_worker_alone_cannot_load_none_serves(fleet: System, tmp_path: Path) -> None:
    fleet.workers.pop().kill()
    fleet.wait_for_workers(2)
    others = {worker["worker"] for worker in fleet.client.status()["workers"]}
    fleet.add_worker(**SMALL_NETWORKS_ONLY)
    fleet.wait_for_workers(3)
    among, large = rival_uploads(4), large_network(tmp_path)
    switches = started_with(among[0], fleet)
    with PredictingClients(Load([fleet.url], bodies(), CLIENTS)) as clients:
        for upload in among[1:]:
            assert switches.upload(fleet.client, upload)["status"] is True
            refused = switches.upload(fleet.client, large)
            assert refused["status"] is False
            loaded = {worker["worker"] for worker in refused["workers"] if worker["result"]}
            failed = [worker for worker in refused["workers"] if not worker["result"]]
            assert loaded == others
            assert [b"more than the 100000 allowed" in b64decode(worker["trace"]) for worker in failed] == [True]
            assert made_by(fleet.client) == switches.done[-1].made
    verdict = judge(clients.predictions, switches.done, switches.own_answers)
    assert verdict.faultless, f"{verdict}\n{fleet.logs()}"
    [state] = fleet.query(
        f"[v.state for v in Version.objects.filter(network_id='{large.nn_id}', number={refused['version']})]"
    )
    reports = fleet.query("[[r.worker, r.loaded, r.trace] for r in WorkerReport.objects.order_by('-id')[:3]]")
    assert state == "failed"
    assert {name for name, loaded, _ in reports if loaded} == others
    [[name, trace]] = [[name, trace] for name, loaded, trace in reports if not loaded]
    assert (name, "more than the 100000 allowed" in trace) == (failed[0]["worker"], True)


def test_of_two_uploads_at_once_through_two_gateways_one_wins_everywhere(shared: System) -> None:
    gateways = [shared.client, shared.add_gateway()]
    among = rival_uploads(1 + 2 * RIVAL_ROUNDS)
    switches = started_with(among[0], shared)
    with PredictingClients(Load([each.url for each in gateways], bodies(), 16)) as clients:
        for first in range(1, len(among), 2):
            at_once(2, lambda which, first=first: switches.upload(gateways[which], among[first + which]))
            settled = time.monotonic()
            named = {made_by(gateway) for gateway in gateways}
            assert len(named) == 1
            # From now on nothing but what both gateways answer.
            switches.done.append(Switch(named.pop(), settled, time.monotonic()))
    verdict = judge(clients.predictions, switches.done, switches.own_answers)
    assert verdict.faultless, f"{verdict}\n{shared.logs()}"
    assert not switches.refused
    assert {each.gateway for each in clients.predictions} == {0, 1}
    states = shared.query("[[v.number, v.state] for v in Version.objects.order_by('number')]")
    assert states == [[number + 1, "loaded"] for number in range(len(among))]
    assert shared.query("WorkerReport.objects.filter(loaded=True).count()") == 2 * len(among)


def made_by(client: PipelineClient) -> Made:
    """The version that answers now."""
    answer = client.predict([0.5, 0.5])
    return Made(answer["message"], answer["version"])


def large_network(directory: Path) -> Upload:
    """A `.keras` archive of a network that sums as well, with many more weights, for the first sample's id."""
    from workers.runtime.backend import keras

    layers = [keras.Input((2,)), keras.layers.Dense(20_000, activation="relu"), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    path = directory / "large.keras"
    model.save(path)
    return Upload(NN_IDS[0], b64encode(path.read_bytes()), np.asarray(model(rows()))[:, 0])
