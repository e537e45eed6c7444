"""Triton's model repository: what there is, weights that come with a load, and unloading."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from inference.dispatch.news import Switched
from inference.errors import NoWorkersError
from inference.http.bodies import upload_files
from inference.http.open_inference import repository
from inference.models import Activation, Network, Version
from inference.versions.asking import Answers
from inference.versions.uploads import store_version
from tests.unit.asking import Answered, ask
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import NN_ID, OTHER_NN_ID, active_number, failed, loaded, two_versions

pytestmark = pytest.mark.django_db
#: What a weights file of HDF5 begins with.
WEIGHTS = b"\x89HDF\r\n\x1a\n" + b"\0" * 32
BOTH = ["iris", NN_ID]


@pytest.fixture(autouse=True)
def served(workers: PretendedGateway) -> PretendedGateway:
    """Versions 1 and 2 of a network that is called iris, the second active."""
    two_versions()
    Network.objects.filter(pk=NN_ID).update(name="iris")
    return workers


def index(body: bytes = b"", **about: Any) -> Any:
    response = ask("/v2/repository/index", body, **about)
    assert response.status_code == 200, response.content
    return response.json()


def load(
    network: str, content: bytes | None = None, place: str = "file:1/model.weights.h5", **parameters: Any
) -> Answered:
    if content is not None:
        parameters[place] = base64.b64encode(content).decode()
    return ask(f"/v2/repository/models/{network}/load", json.dumps({"parameters": parameters}).encode())


def unload(network: str, body: bytes = b"{}") -> Answered:
    return ask(f"/v2/repository/models/{network}/unload", body)


@pytest.mark.parametrize("body", [b"", b"{}", b" ", b'{"ready": false}'])
@pytest.mark.parametrize("content_type", ["", "application/json", "application/x-www-form-urlencoded"])
def test_the_index_has_every_version_that_is_not_deleted(body: bytes, content_type: str) -> None:
    Version.objects.filter(number=1).update(state=Version.State.DELETED)
    Version.objects.create(
        network_id=NN_ID, number=3, state="failed", **Version.objects.values("weights_id", "architecture_id")[0]
    )

    two, three = index(body, headers={"Content-Type": content_type})

    assert two == {"name": "iris", "version": "2", "state": "READY", "reason": ""}
    assert (three["version"], three["state"]) == ("3", "UNAVAILABLE")
    assert f"GET /networks/{NN_ID}/versions/3" in three["reason"]


def test_it_may_have_those_alone_that_answer_and_names_a_network_by_its_id_where_it_has_no_name() -> None:
    Version.objects.filter(number=1).update(state=Version.State.FAILED)
    Network.objects.update(name=None)

    assert index(b'{"ready": true}') == [{"name": NN_ID, "version": "2", "state": "READY", "reason": ""}]


@pytest.mark.parametrize("body", [b"[]", b"7", b"{", b"\xff", b'{"a": NaN}'])
@pytest.mark.parametrize("path", ["index", "models/iris/load"])
def test_what_is_no_object_is_400(body: bytes, path: str) -> None:
    response = ask(f"/v2/repository/{path}", body)

    assert (response.status_code, response.json().keys()) == (400, {"error"})


@pytest.mark.parametrize("ready", [b"1", b"null", b'"true"', b"{}"])
def test_ready_is_true_or_false(ready: bytes) -> None:
    response = ask("/v2/repository/index", b'{"ready": %b}' % ready)

    assert (response.status_code, response.json()) == (400, {"error": "ready must be true or false"})


@pytest.mark.parametrize("path", ["index", "models/iris/unload"])
def test_a_body_that_is_too_large_is_413(path: str, settings: Settings) -> None:
    settings.PIPELINE_MAX_BODY_BYTES = 10

    response = ask(f"/v2/repository/{path}", b"{" + b" " * 10)

    assert (response.status_code, response.json().keys()) == (413, {"error"})


# Loading.


@pytest.mark.parametrize("network", BOTH)
def test_a_load_with_a_file_is_a_weight_change(network: str, served: PretendedGateway) -> None:
    assert (load(network, WEIGHTS).status_code, load(network, WEIGHTS).json()) == (200, {})

    assert active_number() == 4
    assert [version.number for version in served.fleet.loads] == [3, 4]
    version = Version.objects.get(number=4)
    assert (version.file_name, version.weights.size) == ("model.weights.h5", len(WEIGHTS))
    assert Activation.objects.latest("id").kind == Activation.Kind.UPLOAD


def test_an_unknown_name_is_a_new_network_of_that_name() -> None:
    assert load("rose", WEIGHTS).status_code == 200

    new = Network.objects.get(name="rose")
    assert new.active is not None
    assert active_number(new.nn_id) == 1
    assert active_number() == 2


@pytest.mark.parametrize("name", ["..", "."])
def test_a_name_that_is_none_is_400_and_nothing_is_stored(name: str) -> None:
    response = load(name, WEIGHTS)

    assert (response.status_code, response.json().keys()) == (400, {"error"})
    assert Network.objects.count() == 1


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("file:1/a.h5", "a.h5"),
        ("file:a.h5", "a.h5"),
        ("file:1/b/a.h5", "a.h5"),
        ("file:", "weights"),
        ("file:1/", "weights"),
        ("file:1/a\0\n.h5", "a.h5"),
        ("file:" + "x" * 300, "x" * 255),
    ],
)
def test_its_file_is_called_as_it_is(place: str, name: str) -> None:
    assert load("iris", WEIGHTS, place).status_code == 200
    assert Version.objects.get(number=3).file_name == name


@pytest.mark.parametrize("network", BOTH)
def test_a_load_without_a_file_has_what_was_active_answer_again(network: str, served: PretendedGateway) -> None:
    assert unload(network).status_code == 200
    assert active_number() is None

    assert (load(network).status_code, load(network, config='{"max_batch_size": 8}').json()) == (200, {})
    assert active_number() == 2
    assert [version.number for version in served.fleet.loads] == [2, 2]
    assert Activation.objects.latest("id").kind == Activation.Kind.ACTIVATE


def test_its_body_may_be_empty() -> None:
    assert ask("/v2/repository/models/iris/load", b"").status_code == 200


@pytest.mark.parametrize("network", ["nobody", "f" * 32])
def test_one_of_an_unknown_network_is_404(network: str) -> None:
    assert (load(network).status_code, unload(network).status_code) == (404, 404)


def test_of_large_loads_there_are_few_at_a_time(served: PretendedGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository, "LARGE_LOAD_BYTES", 10)
    for _ in range(repository.LARGE_LOADS_MAX):
        assert repository._large_loads.acquire(blocking=False)

    try:
        assert load("iris", WEIGHTS).status_code == 503
    finally:
        repository._large_loads.release(repository.LARGE_LOADS_MAX)
    assert load("iris", WEIGHTS).status_code == 200


def test_one_of_a_network_that_was_never_loaded_is_409() -> None:
    store_version(OTHER_NN_ID, "w.h5", b"weights", b"{}")

    response = load(OTHER_NN_ID)

    assert response.status_code == 409
    assert "no version that has been active" in response.json()["error"]


def test_a_worker_that_cannot_is_409_and_what_was_active_stays(served: PretendedGateway) -> None:
    served.fleet.reports = Answers([loaded("w1"), failed("w2")], 0)

    response = load("iris", WEIGHTS)

    assert (response.status_code, response.json()) == (409, {"error": "w2: WeightsError: no"})
    assert active_number() == 2


def test_without_a_worker_it_is_503(served: PretendedGateway) -> None:
    served.fleet.reports = NoWorkersError("no worker is connected")

    response = load("iris", WEIGHTS)

    assert response.status_code == 503
    assert "no worker is connected" in response.json()["error"]


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ([], "parameters must be an object"),
        ("x", "parameters must be an object"),
        ({"file:1/a.h5": "no base64!"}, "file:1/a.h5 must be the file in base64"),
        ({"file:1/a.h5": "é"}, "file:1/a.h5 must be the file in base64"),
        ({"file:1/a.h5": 7}, "file:1/a.h5 must be the file in base64"),
        ({"file:1/a.h5": None}, "file:1/a.h5 must be the file in base64"),
        ({"file:1/a.h5": ["QQ=="]}, "file:1/a.h5 must be the file in base64"),
        ({"file:1/a.h5": "QQ==", "file:1/b.h5": "QQ=="}, "a load brings one file of weights, not 2"),
        ({"file:1/a.h5": ""}, "empty"),
        ({"file:1/a.h5": base64.b64encode(b"GIF89a" * 9).decode()}, ""),
    ],
    ids=lambda value: repr(value)[:50],
)
def test_what_is_no_file_of_weights_is_400_and_nothing_is_stored(parameters: Any, why: str) -> None:
    response = ask("/v2/repository/models/iris/load", json.dumps({"parameters": parameters}).encode())

    assert response.status_code == 400
    assert why in response.json()["error"]
    assert Version.objects.count() == 2


@pytest.mark.parametrize("known", [True, False])
def test_a_file_may_be_as_large_as_an_upload_and_no_larger(known: bool, settings: Settings, monkeypatch: Any) -> None:
    settings.PIPELINE_MAX_UPLOAD_BYTES, settings.PIPELINE_MAX_BODY_BYTES = 100_000, 1000
    monkeypatch.setattr(upload_files, "IN_MEMORY_BYTES", 0)
    for size, status in ((100_000, 200), (100_001, 413), (200_000, 413)):
        content = WEIGHTS + b"\0" * (size - len(WEIGHTS))
        body = json.dumps({"parameters": {"file:1/a": base64.b64encode(content).decode()}}).encode()
        pieces = None if known else [body[:70_000], body[70_000:]]

        response = ask("/v2/repository/models/iris/load", body, pieces=pieces)

        assert response.status_code == status, response.content
    assert Version.objects.count() == 3


# Unloading.


@pytest.mark.parametrize("network", BOTH)
@pytest.mark.parametrize("body", [b"", b"{}", b'{"parameters": {"unload_dependents": true}}'])
def test_an_unloaded_network_has_no_active_version_and_gateways_hear_of_it(
    network: str, body: bytes, served: PretendedGateway
) -> None:
    response = unload(network, body)

    assert (response.status_code, response.json()) == (200, {})
    assert active_number() is None
    assert served.fleet.told == [Switched(NN_ID)]
    assert ask(f"/v2/models/{network}/ready", method="GET").status_code == 404


@pytest.mark.parametrize("path", ["index", "models/iris/load", "models/iris/unload"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_other_methods_are_405(path: str, method: str) -> None:
    response = ask(f"/v2/repository/{path}", method=method)

    assert (response.status_code, response.headers["Allow"]) == (405, "POST, OPTIONS")
