"""Any earlier version is made active again by real workers, and everything that happened stays on record."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import numpy as np
import psycopg
import pytest
import requests

from inference.client.http_client import Answer, ClientError
from inference.supervision.rabbitmq import PrivateNode
from tests.integration.conftest import running, running_node
from tests.support.archives import archive
from tests.support.load import at_once
from tests.support.samples import ARCHITECTURE, samples
from tests.support.system import System
from tests.support.waiting import wait_until

ROW = [0.25, 0.5]
EXPECTED = [float(sample.answers(np.array([ROW]))[0]) for sample in samples()]


def upload(system: System, nn_id: str, sample: int) -> Answer:
    """The sample's weights become the network's next version."""
    answer = system.client.set_weights(nn_id, f"sample{sample}.b64", samples()[sample].file.read_bytes())
    assert answer["status"] is True, answer
    return answer


def raw(sample: int) -> bytes:
    """What a sample's file decodes to."""
    return b64decode(samples()[sample].file.read_bytes())


def download(system: System, nn_id: str, number: int) -> requests.Response:
    return requests.get(f"{system.url}/networks/{nn_id}/versions/{number}/weights", timeout=30)


def answers_as(system: System, nn_id: str, number: int, sample: int) -> bool:
    """Whether a network that is the default one answers as a sample does, and says which version it is."""
    answer = system.client.predict(ROW)
    return (answer["message"], answer["version"]) == (nn_id, number) and answer["result"] == pytest.approx(
        EXPECTED[sample], abs=1e-6
    )


@pytest.fixture
def three(system: System) -> str:
    """A network with three versions, one of each sample; the third is active."""
    nn_id = uuid4().hex
    for sample in range(3):
        upload(system, nn_id, sample)
    return nn_id


def test_an_earlier_version_is_activated_and_rolled_back_from(system: System, three: str) -> None:
    answer = system.client.activate(three, 1)

    assert (answer["status"], answer["workers_count"], answer["version"], answer["previous_version"]) == (True, 2, 1, 3)
    assert answers_as(system, three, 1, 0)
    assert system.client.rollback(three)["version"] == 3
    assert answers_as(system, three, 3, 2)
    [told, uploaded] = system.client.version(three, 1)["activations"]
    assert (told["kind"], told["outcome"], told["previous_version"], len(told["reports"])) == (
        "activate",
        "activated",
        3,
        2,
    )
    assert (uploaded["kind"], uploaded["previous_version"]) == ("upload", None)


def test_rolling_back_again_takes_back_step_by_step_until_nothing_is_left(system: System, three: str) -> None:
    system.client.activate(three, 2)
    for number, sample in ((3, 2), (2, 1), (1, 0)):
        assert system.client.rollback(three)["version"] == number
        assert answers_as(system, three, number, sample)
    with pytest.raises(ClientError, match="nothing to roll back to") as refused:
        system.client.rollback(three)
    assert refused.value.status_code == 409


def test_only_uploads_change_the_default_network(system: System, three: str) -> None:
    other = uuid4().hex
    upload(system, other, 0)

    assert system.client.activate(three, 1)["status"] is True

    assert system.client.predict(ROW)["message"] == other
    assert system.client.network(three)["active_version"] == 1
    assert [one["nn_id"] for one in system.client.networks(1000)["networks"] if one["default"]] == [other]


def test_a_download_is_what_was_uploaded(system: System, three: str) -> None:
    response = download(system, three, 2)

    assert response.content == raw(1)
    assert response.headers["Content-Disposition"] == f'attachment; filename="{three}_2.weights.h5"'
    again = requests.get(response.url, headers={"If-None-Match": response.headers["ETag"]}, timeout=30)
    assert (again.status_code, again.content) == (304, b"")
    head = requests.head(response.url, timeout=30)
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(raw(1))))


def test_a_deleted_version_is_gone_until_its_weights_are_uploaded_again(system: System, three: str) -> None:
    other = uuid4().hex
    system.client.activate(three, 1)
    system.client.delete_version(three, 2)

    assert download(system, three, 2).status_code == 404
    with pytest.raises(ClientError, match="409"):
        system.client.activate(three, 2)
    with pytest.raises(ClientError, match="409"):
        system.client.delete_version(three, 1)
    assert [one["state"] for one in system.client.network(three)["versions"]] == ["loaded", "deleted", "loaded"]
    assert upload(system, three, 1)["version"] == 4
    assert upload(system, other, 1)["version"] == 1
    assert answers_as(system, other, 1, 1)
    assert download(system, three, 4).content == raw(1)


def test_a_version_that_fails_when_it_is_activated_again_stays_loaded(system: System, three: str) -> None:
    small = system.add_worker(PIPELINE_WORKER_MAX_NETWORK_BYTES="1")
    system.wait_for_workers(3)
    try:
        answer = system.client.activate(three, 1)
    finally:
        small.stop()
        system.wait_for_workers(2)

    assert (answer["status"], answer["workers_asked"], answer["workers_answered"]) == (False, 3, 3)
    assert sorted(worker["result"] for worker in answer["workers"]) == [False, True, True]
    assert answers_as(system, three, 3, 2)
    assert [one["state"] for one in system.client.network(three)["versions"]] == ["loaded"] * 3
    [failure] = [one for one in system.client.version(three, 1)["activations"] if one["outcome"] == "failed"]
    assert (failure["previous_version"], [one["result"] for one in failure["reports"]].count(False)) == (3, 1)
    assert system.client.activate(three, 1)["status"] is True


def test_switches_at_the_same_time_are_all_recorded_one_after_the_other(system: System, three: str) -> None:
    def switch(number: int) -> list[Answer]:
        return [system.client.activate(three, 1 + (number + step) % 3) for step in range(5)]

    made = [answer for answers in at_once(4, switch) for answer in answers]

    assert all(answer["status"] for answer in made)
    came, left = (Counter(answer[name] for answer in made) for name in ("version", "previous_version"))
    last = system.client.network(three)["active_version"]
    # Each leaves what another one brought, from the version that was active first to the one that is now.
    assert came + Counter([3]) == left + Counter([last])


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateNode]:
    """A node of this file's own, to be lone."""
    yield from running_node(tmp_path_factory.mktemp("restarted"))


@pytest.fixture(scope="module")
def lone(
    request: pytest.FixtureRequest, node: PrivateNode, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    """One worker and two gateway processes on that node, and on PostgreSQL."""
    url = request.getfixturevalue("postgresql").new_database("activations")
    yield from running(System(tmp_path_factory.mktemp("lone"), node.url, url), workers=1)


def test_a_version_from_before_a_restart_of_everything_is_activated(lone: System, node: PrivateNode) -> None:
    nn_id = uuid4().hex
    for sample in (0, 1):
        upload(lone, nn_id, sample)
    lone.stop()
    lone.workers.clear()
    node.stop()

    node.start()
    node.wait_ready()
    lone.start(workers=1)

    assert answers_as(lone, nn_id, 2, 1)
    assert lone.client.activate(nn_id, 1)["previous_version"] == 2
    assert answers_as(lone, nn_id, 1, 0)
    assert lone.client.rollback(nn_id)["version"] == 2


def test_what_no_worker_could_load_is_activated_when_one_is_there(lone: System) -> None:
    nn_id = uuid4().hex
    lone.workers.pop().stop()
    lone.wait_for_workers(0)
    with pytest.raises(ClientError, match=f"POST /networks/{nn_id}/activate with") as refused:
        upload(lone, nn_id, 2)
    assert refused.value.status_code == 503
    lone.add_worker()
    lone.wait_for_workers(1)

    assert lone.client.activate(nn_id, 1)["status"] is True

    assert lone.client.network(nn_id)["active_version"] == 1
    kinds = [(one["kind"], one["outcome"]) for one in lone.client.version(nn_id, 1)["activations"]]
    assert kinds == [("activate", "activated"), ("upload", "no_workers")]


def test_bytes_that_are_uploaded_while_they_are_deleted_are_there(lone: System) -> None:
    first, second = uuid4().hex, uuid4().hex
    for nn_id in (first, second):
        upload(lone, nn_id, 0)  # what stays active

    def race(old: int, target: str) -> int:
        """Delete the only version that has some bytes, and upload these bytes again, at once."""
        acts = (lambda: lone.client.delete_version(first, old), lambda: upload(lone, target, 1))
        return int(at_once(2, lambda number: acts[number]())[1]["version"])

    for target in (first, second) * 6:
        old = int(upload(lone, first, 1)["version"])
        lone.client.rollback(first)
        new = race(old, target)
        assert lone.client.version(first, old)["state"] == "deleted"
        assert download(lone, target, new).content == raw(1)
        lone.client.rollback(target)
        lone.client.delete_version(target, new)


def test_uploads_of_the_same_files_do_not_wait_for_each_other_for_ever(lone: System) -> None:
    nn_id = uuid4().hex
    upload(lone, nn_id, 0)
    own = ARCHITECTURE.read_bytes() + b"\n"
    whole = archive({"config.json": own, "model.weights.h5": raw(1)})
    url = lone.environment["DATABASE_URL"]

    with (
        ThreadPoolExecutor(2) as pool,
        psycopg.connect(url) as holder,
        psycopg.connect(url, autocommit=True) as watcher,
    ):
        # Each has locked what it can when this lets go of the network.
        holder.execute("SELECT FROM inference_network WHERE nn_id = %s FOR UPDATE", [nn_id])
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        made = []
        for content in (whole, b64encode(whole)):
            made.append(pool.submit(lone.client.set_weights, nn_id, "weights", content))
            wait_until(lambda: watcher.execute(waiting).fetchone() == (len(made),), 30, "the upload waits for a lock")
        holder.rollback()
        answers = [upload.result(60) for upload in made]

    assert [answer["status"] for answer in answers] == [True, True]
    assert {answer["version"] for answer in answers} == {2, 3}
