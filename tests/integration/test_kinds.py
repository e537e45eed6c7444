"""Every kind of network that docs/networks.md tells of, through real workers: answered as by Keras, or refused."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator
from functools import cache
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import numpy as np
import pytest
import requests

from inference.supervision.rabbitmq import PrivateNode
from tests.integration.conftest import running
from tests.integration.test_any_network import predict
from tests.support.kind import Kind, Sample, named
from tests.support.kinds import KINDS
from tests.support.load import at_once
from tests.support.own_code import FOLDER
from tests.support.system import System

CLIENTS = 12
OWN_CODE = {"PIPELINE_MODULES": "team.layers", "PYTHONPATH": str(FOLDER)}
SERVED = [name for name, kind in KINDS.items() if not kind.says]
#: The networks that were loaded.
served: list[str] = []

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(scope="module")
def system(rabbitmq: PrivateNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Two workers that have the team's own code."""
    made = System(tmp_path_factory.mktemp("system"), rabbitmq.url)
    for system in running(made, workers=0):
        for _ in range(2):
            system.add_worker(**OWN_CODE)
        yield system.wait_for_workers(2)


@cache
def sample_of(name: str) -> Sample:
    return KINDS[name].sample()


def nn_id_of(name: str) -> str:
    return uuid5(NAMESPACE_OID, name).hex


def upload(system: System, name: str, content: bytes) -> Any:
    files = {"data": ("model", content, "application/octet-stream")}
    return requests.put(system.url + "/set_weights", data={"nn_id": nn_id_of(name)}, files=files, timeout=100).json()


def check(system: System, name: str) -> None:
    """Rows alone, in company of others, and all at once, are answered as Keras answers each alone."""
    kind, sample = KINDS[name], sample_of(name)
    if sample.answers is None:
        asked = [predict(system, data=sample.rows_as_json(slice(None)), nn_id=nn_id_of(name)) for _ in range(2)]
        assert asked[0] != asked[1]
        return
    one_by_one = at_once(
        CLIENTS,
        lambda client: predict(system, vector=sample.rows_as_json(client % sample.count), nn_id=nn_id_of(name)),
    )
    for client, answer in enumerate(one_by_one):
        assert_alike(named(answer), {key: each[client % sample.count] for key, each in sample.answers.items()}, kind)
    if "together" not in kind.remark:
        together = predict(system, data=sample.rows_as_json(slice(None)), nn_id=nn_id_of(name))
        assert_alike(named(together), sample.answers, kind)


def assert_alike(answer: dict[str, Any], expected: dict[str, Any], kind: Kind) -> None:
    assert answer.keys() == expected.keys()
    for name, wanted in expected.items():
        if wanted.dtype.kind in "OSU":
            assert answer[name].ravel().tolist() == [each.decode() for each in wanted.ravel().tolist()]
        else:
            np.testing.assert_allclose(
                answer[name].astype(float).ravel(), wanted.astype(float).ravel(), kind.tolerance, kind.tolerance
            )


@pytest.mark.parametrize("name", SERVED)
def test_a_kind_that_is_served_answers_as_keras_alone_and_in_company_and_after_a_rollback(
    name: str, system: System
) -> None:
    kind, sample = KINDS[name], sample_of(name)
    for content in sample.uploads:
        loaded = upload(system, name, content)
        assert (loaded["status"], loaded["workers_count"]) == (True, 2), loaded
    served.append(name)
    check(system, name)

    again = upload(system, name, b64encode(sample.uploads[-1]))
    assert (again["status"], again["version"]) == (True, loaded["version"] + 1), again
    check(system, name)

    assert system.client.rollback(nn_id_of(name))["version"] == loaded["version"]
    check(system, name)
    version = requests.get(f"{system.url}/networks/{nn_id_of(name)}/versions/{loaded['version']}", timeout=10).json()
    assert not kind.remark or any(each.startswith(kind.remark) for each in version["remarks"])


def test_all_of_them_answer_after_a_worker_was_killed_and_another_one_came(system: System) -> None:
    assert served, "the tests before have loaded them"
    first = system.workers[0]
    first.kill()
    first.wait(30)
    system.add_worker(**OWN_CODE)
    system.wait_for_workers(2)
    for name in served:
        check(system, name)


@pytest.mark.parametrize("name", [name for name in KINDS if name not in SERVED])
def test_a_kind_that_is_not_served_is_refused_with_why(name: str, system: System) -> None:
    kind = KINDS[name]
    for content in sample_of(name).uploads:
        refused = upload(system, name, content)
    assert refused["status"] is False, refused
    for worker in refused["workers"]:
        assert kind.says in b64decode(worker["trace"]).decode()
