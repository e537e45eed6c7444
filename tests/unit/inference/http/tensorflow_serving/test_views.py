"""What TensorFlow Serving, and KServe's first protocol, tell of networks."""

from __future__ import annotations

from typing import Any

import pytest

from inference.models import Label, Network, Version
from inference.versions import services
from inference.versions.uploads import store_version
from tests.unit.asking import ask
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import NN_ID, OTHER_NN_ID, activated, failed_activation
from workers.messages.network_signature import NetworkSignature, TensorSignature

pytestmark = pytest.mark.django_db
SIGNATURE = NetworkSignature(
    [TensorSignature("image", "uint8", [None, 3]), TensorSignature("words", "string", [])],
    [TensorSignature("sum", "float32", [1])],
)
BOTH = ["iris", NN_ID]


@pytest.fixture(autouse=True)
def three(gateway: PretendedGateway) -> list[Version]:
    """Version 1, stable; 2, active; and 3, failed, of a network that is called iris."""
    versions = [store_version(NN_ID, "w.h5", b"weights", b"{}") for _ in range(3)]
    Version.objects.update(signature=SIGNATURE.to_json())
    for version in versions[:2]:
        activated(version)
    failed_activation(versions[2])
    Network.objects.filter(pk=NN_ID).update(name="iris")
    Label.objects.create(network_id=NN_ID, label="stable", version=versions[0])
    return versions


def get(path: str, status: int = 200) -> Any:
    """What GET answers, and that HEAD answers the same."""
    response, head = ask(path, method="GET"), ask(path, method="HEAD")
    assert response.status_code == head.status_code == status, response.content
    return response.json()


def told_of(number: int, state: str = "AVAILABLE", code: str = "OK", message: str = "") -> dict[str, Any]:
    return {"version": str(number), "state": state, "status": {"error_code": code, "error_message": message}}


FAILED = told_of(3, "END", "UNKNOWN", "a worker could not load it")


def test_all_networks_that_answer_are_listed() -> None:
    activated(store_version(OTHER_NN_ID, "w.h5", b"weights", b"{}"))
    store_version("f" * 32, "w.h5", b"weights", b"{}")

    assert get("/v1/models") == {"models": ["iris", OTHER_NN_ID]}


@pytest.mark.parametrize("network", BOTH)
def test_a_network_tells_its_versions_newest_first(network: str) -> None:
    assert get(f"/v1/models/{network}") == {
        "name": network,
        "ready": True,
        "model_version_status": [FAILED, told_of(2), told_of(1)],
    }


@pytest.mark.parametrize("network", BOTH)
@pytest.mark.parametrize(
    ("which", "ready", "told"),
    [
        ("versions/1", True, told_of(1)),
        ("versions/3", False, FAILED),
        ("labels/stable", True, told_of(1)),
    ],
)
def test_so_does_one_version(network: str, which: str, ready: bool, told: Any) -> None:
    assert get(f"/v1/models/{network}/{which}") == {"name": network, "ready": ready, "model_version_status": [told]}


def test_one_that_nobody_has_loaded_yet_starts_and_a_deleted_one_has_ended() -> None:
    store_version(NN_ID, "w.h5", b"weights", b"{}")
    Version.objects.filter(number=3).update(state=Version.State.DELETED)

    assert get("/v1/models/iris")["model_version_status"] == [told_of(4, "START"), told_of(2), told_of(1)]
    assert get("/v1/models/iris/versions/3")["model_version_status"] == [told_of(3, "END")]
    assert "is deleted" in get("/v1/models/iris/versions/3/metadata", 404)["error"]


def test_a_network_without_an_active_version_is_not_ready() -> None:
    services.deactivate("iris", "somebody")

    assert get("/v1/models/iris")["ready"] is False
    assert get("/v1/models") == {"models": []}
    assert "no active version" in get("/v1/models/iris/metadata", 404)["error"]


@pytest.mark.parametrize("network", BOTH)
@pytest.mark.parametrize(
    ("which", "version"), [("", "2"), ("/versions/1", "1"), ("/versions/3", "3"), ("/labels/stable", "1")]
)
def test_metadata_are_in_tensorflows_words(network: str, which: str, version: str) -> None:
    told = get(f"/v1/models/{network}{which}/metadata")

    assert told["model_spec"] == {"name": network, "signature_name": "", "version": version}
    signature = told["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert signature["method_name"] == "tensorflow/serving/predict"
    assert {name: each["dtype"] for name, each in signature["inputs"].items()} == {
        "image": "DT_UINT8",
        "words": "DT_STRING",
    }
    assert signature["outputs"] == {
        "sum": {
            "name": "sum",
            "dtype": "DT_FLOAT",
            "tensor_shape": {"dim": [{"size": "-1", "name": ""}, {"size": "1", "name": ""}], "unknown_rank": False},
        }
    }
    assert [each["size"] for each in signature["inputs"]["image"]["tensor_shape"]["dim"]] == ["-1", "-1", "3"]


def test_what_no_worker_has_told_of_is_409_with_what_helps() -> None:
    Version.objects.update(signature=None)

    assert f"POST /networks/{NN_ID}/activate" in get("/v1/models/iris/metadata", 409)["error"]
    assert get("/v1/models/iris")["ready"]


@pytest.mark.parametrize("what", ["", "/metadata"])
@pytest.mark.parametrize(
    "path", ["nobody", OTHER_NN_ID, "iris/versions/9", "nobody/versions/1", "nobody/labels/stable", "iris/labels/1"]
)
def test_what_there_is_not_is_404(path: str, what: str) -> None:
    assert "no" in get(f"/v1/models/{path}{what}", 404)["error"]


@pytest.mark.parametrize("path", ["", "/iris", "/iris/metadata", "/iris/versions/1", "/iris/labels/stable/metadata"])
def test_other_methods_are_405(path: str) -> None:
    response = ask(f"/v1/models{path}", b"{}")

    assert (response.status_code, response.headers["Allow"], response.json().keys()) == (
        405,
        "GET, HEAD, OPTIONS",
        {"error"},
    )
