"""Every kind of network that docs/networks.md tells of, through real workers: answered as by Keras, or refused."""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import numpy as np
import pytest
import requests

from tests.integration.test_any_network import predict
from tests.support.kinds import KINDS, Kind
from tests.support.load import at_once
from tests.support.system import System
from workers.runtime.backend import keras

CLIENTS = 12
SERVED = {name: kind for name, kind in KINDS.items() if not kind.says}
#: What each network that was loaded must answer, by its name; None when that is drawn.
answers: dict[str, Any] = {}

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def nn_id_of(name: str) -> str:
    return uuid5(NAMESPACE_OID, name).hex


def upload(system: System, name: str, content: bytes) -> Any:
    files = {"data": ("model.keras", content, "application/octet-stream")}
    return requests.put(system.url + "/set_weights", data={"nn_id": nn_id_of(name)}, files=files, timeout=100).json()


def saved(kind: Kind, folder: Path) -> tuple[Any, bytes]:
    keras.utils.set_random_seed(3)
    model = kind.make()
    model.save(folder / "model.keras")
    return model, (folder / "model.keras").read_bytes()


def rows_of(kind: Kind, number: int | slice) -> Any:
    """Rows as JSON has them: of all inputs, or one."""
    if isinstance(kind.rows, dict):
        return {name: each[number].tolist() for name, each in kind.rows.items()}
    return kind.rows[number].tolist()


def as_arrays(answer: Any) -> dict[str, Any]:
    named = answer if isinstance(answer, dict) else {"": answer}
    return {name: np.asarray(each) for name, each in named.items()}


def expected_of(model: Any, kind: Kind) -> dict[str, Any]:
    """What Keras answers to each row alone, one after the other."""
    count = len(next(iter(kind.rows.values())) if isinstance(kind.rows, dict) else kind.rows)
    alone = []
    for row in range(count):
        given = (
            {name: each[row : row + 1] for name, each in kind.rows.items()}
            if isinstance(kind.rows, dict)
            else kind.rows[row : row + 1]
        )
        alone.append(model(_tensors(given), training=False))
    named = [as_arrays(each if isinstance(each, dict) else {"": each}) for each in alone]
    return {name: np.concatenate([each[name] for each in named]) for name in named[0]}


def _tensors(given: Any) -> Any:
    def tensor(rows: Any) -> Any:
        return keras.ops.convert_to_tensor(rows.tolist(), "string") if rows.dtype == object else rows

    return {name: tensor(each) for name, each in given.items()} if isinstance(given, dict) else tensor(given)


def check(system: System, name: str) -> None:
    """Rows alone, in company of others, and all at once, are answered as Keras answers each alone."""
    kind, expected = KINDS[name], answers[name]
    if expected is None:
        asked = [predict(system, data=rows_of(kind, slice(None)), nn_id=nn_id_of(name)) for _ in range(2)]
        assert asked[0] != asked[1]
        return
    count = len(next(iter(expected.values())))
    one_by_one = at_once(
        CLIENTS, lambda client: predict(system, vector=rows_of(kind, client % count), nn_id=nn_id_of(name))
    )
    for client, answer in enumerate(one_by_one):
        assert_alike(as_arrays(answer), {key: each[client % count] for key, each in expected.items()}, kind)
    if not kind.remark:
        assert_alike(as_arrays(predict(system, data=rows_of(kind, slice(None)), nn_id=nn_id_of(name))), expected, kind)


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
    name: str, system: System, tmp_path: Path
) -> None:
    kind = KINDS[name]
    model, content = saved(kind, tmp_path)
    loaded = upload(system, name, content)
    assert (loaded["status"], loaded["workers_count"]) == (True, 2), loaded
    answers[name] = None if "drawn" in kind.remark else expected_of(model, kind)
    check(system, name)

    again = upload(system, name, b64encode(content))
    assert (again["status"], again["version"]) == (True, 2), again
    check(system, name)

    assert system.client.rollback(nn_id_of(name))["version"] == 1
    check(system, name)
    version = requests.get(f"{system.url}/networks/{nn_id_of(name)}/versions/1", timeout=10).json()
    assert not kind.remark or any(each.startswith(kind.remark) for each in version["remarks"])


def test_all_of_them_answer_after_a_worker_was_killed_and_another_one_came(system: System) -> None:
    assert answers, "the tests before have loaded them"
    first = system.workers[0]
    first.kill()
    first.wait(30)
    system.add_worker()
    system.wait_for_workers(2)
    for name in answers:
        check(system, name)


@pytest.mark.parametrize("name", [name for name in KINDS if name not in SERVED])
def test_a_kind_that_is_not_served_is_refused_with_why(name: str, system: System, tmp_path: Path) -> None:
    kind = KINDS[name]
    _, content = saved(kind, tmp_path)
    refused = upload(system, name, content)
    assert refused["status"] is False, refused
    for worker in refused["workers"]:
        assert kind.says in b64decode(worker["trace"]).decode()
