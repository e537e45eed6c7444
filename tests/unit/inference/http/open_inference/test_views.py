"""What the protocol tells of the server and of networks, by name and by id."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from inference.errors import BrokerUnavailableError
from inference.models import Network, Version
from inference.statistics.timing import Timing
from inference.statistics.timings import Timings
from inference.versions import services
from inference.versions.uploads import store_version
from tests.unit.asking import Answered, ask
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import NN_ID, OTHER_NN_ID, activated, failed_activation
from workers.messages.network_signature import NetworkSignature, TensorSignature
from workers.version import VERSION

pytestmark = pytest.mark.django_db
SIGNATURE = NetworkSignature(
    [TensorSignature("image", "uint8", [None, 3]), TensorSignature("words", "string", [])],
    [TensorSignature("sum", "float32", [1]), TensorSignature("half", "float16", [2, 2])],
)
BOTH = ["iris", NN_ID]


def store(nn_id: str = NN_ID, signature: NetworkSignature | None = SIGNATURE) -> Version:
    version = store_version(nn_id, "w.h5", b"weights", b"{}")
    version.signature = signature.to_json() if signature else None
    version.save()
    return version


@pytest.fixture(autouse=True)
def three(gateway: PretendedGateway) -> list[Version]:
    """Version 1 loaded, 2 active, 3 failed, of a network that is called iris."""
    versions = [store() for _ in range(3)]
    for version in versions[:2]:
        activated(version)
    failed_activation(versions[2])
    Network.objects.filter(pk=NN_ID).update(name="iris")
    return versions


def get(path: str, status: int = 200) -> Any:
    """What GET answers, and that HEAD answers the same."""
    response, head = ask(path, method="GET"), ask(path, method="HEAD")
    assert response.status_code == head.status_code == status, response.content
    return response.json()


def test_the_server_tells_what_it_is_and_can() -> None:
    told = get("/v2")

    assert (told["name"], told["version"]) == ("pipeline", VERSION)
    assert {"binary_tensor_data", "model_repository", "model_configuration", "statistics"} <= set(told["extensions"])


def test_it_lives_and_is_ready_or_not(gateway: PretendedGateway) -> None:
    assert get("/v2/health/live") == {"live": True}
    assert get("/v2/health/ready") == {"live": True, "ready": True}

    gateway.health.what_workers_tell = BrokerUnavailableError("away")
    assert get("/v2/health/ready", 503) == {"live": True, "ready": False}
    assert get("/v2/health/live") == {"live": True}


@pytest.mark.parametrize("network", BOTH)
@pytest.mark.parametrize(("which", "numbers"), [("", ["1", "2"]), ("/versions/1", ["1"]), ("/versions/3", ["3"])])
def test_a_network_tells_what_it_takes_and_makes(network: str, which: str, numbers: list[str]) -> None:
    assert get(f"/v2/models/{network}{which}") == {
        "name": network,
        "versions": numbers,
        "platform": "keras",
        "inputs": [
            {"name": "image", "datatype": "UINT8", "shape": [-1, -1, 3]},
            {"name": "words", "datatype": "BYTES", "shape": [-1]},
        ],
        "outputs": [
            {"name": "sum", "datatype": "FP32", "shape": [-1, 1]},
            {"name": "half", "datatype": "FP16", "shape": [-1, 2, 2]},
        ],
    }


@pytest.mark.parametrize("network", BOTH)
@pytest.mark.parametrize(("which", "ready"), [("", True), ("/versions/1", True), ("/versions/3", False)])
def test_it_is_ready_when_it_answers(network: str, which: str, ready: bool) -> None:
    assert get(f"/v2/models/{network}{which}/ready", 200 if ready else 503) == {"name": network, "ready": ready}


@pytest.mark.parametrize("network", BOTH)
@pytest.mark.parametrize("which", ["", "/versions/1"])
def test_its_configuration_is_in_tritons_words(network: str, which: str) -> None:
    told = get(f"/v2/models/{network}{which}/config")

    assert (told["name"], told["platform"], told["backend"]) == (network, "keras", "keras")
    assert told["max_batch_size"] > 0
    assert told["input"] == [
        {"name": "image", "data_type": "TYPE_UINT8", "dims": [-1, 3]},
        {"name": "words", "data_type": "TYPE_STRING", "dims": []},
    ]
    assert [each["data_type"] for each in told["output"]] == ["TYPE_FP32", "TYPE_FP16"]


@pytest.mark.parametrize("what", ["", "/ready", "/config", "/stats"])
def test_what_there_is_not_is_404(what: str) -> None:
    for path in ("nobody", OTHER_NN_ID, "iris/versions/9", f"{NN_ID}/versions/9", "nobody/versions/1"):
        assert "there is no" in get(f"/v2/models/{path}{what}", 404)["error"]


@pytest.mark.parametrize("what", ["", "/ready", "/config"])
def test_a_network_without_an_active_version_is_404_and_its_versions_are_not(what: str) -> None:
    services.deactivate("iris", "somebody")

    assert "has no active version" in get(f"/v2/models/iris{what}", 404)["error"]
    assert get(f"/v2/models/iris/versions/1{what}")["name"] == "iris"


@pytest.mark.parametrize("what", ["", "/config"])
def test_what_no_worker_has_told_of_is_409_with_what_helps(what: str) -> None:
    Version.objects.update(signature=None)

    told = get(f"/v2/models/iris{what}", 409)["error"]
    assert f"POST /networks/{NN_ID}/activate" in told
    assert get("/v2/models/iris/ready")["ready"]


# Statistics.


def note(nn_id: str, number: int, outcome: str = "answered", rows: int = 2) -> None:
    timings = Timings()
    at = timezone.now() - timedelta(minutes=3)
    timings.add(Timing(at, nn_id, number, "w1", rows, rows, 4.0, 1.0, 2.0, outcome, "v2"))
    timings.flush()


def names(path: str) -> list[tuple[str, str]]:
    return [(each["name"], each["version"]) for each in get(path)["model_stats"]]


def test_statistics_are_of_all_that_answer_of_a_network_or_of_a_version() -> None:
    activated(store(OTHER_NN_ID))
    store("f" * 32)

    assert names("/v2/models/stats") == [("iris", "2"), (OTHER_NN_ID, "1")]
    for network in BOTH:
        assert names(f"/v2/models/{network}/stats") == [("iris", "2"), ("iris", "1")]
        assert names(f"/v2/models/{network}/versions/3/stats") == [("iris", "3")]


def test_they_are_what_requests_came_to() -> None:
    for outcome in ("answered", "answered", "failed"):
        note(NN_ID, 2, outcome)

    two, one = get("/v2/models/iris/stats")["model_stats"]

    assert two["inference_count"] == 4
    assert two["inference_stats"] == {
        "success": {"count": 2, "ns": 8_000_000},
        "fail": {"count": 1, "ns": 0},
        "queue": {"count": 2, "ns": 2_000_000},
        "compute_infer": {"count": 2, "ns": 4_000_000},
    }
    assert one["inference_stats"]["success"] == {"count": 0, "ns": 0}


@pytest.mark.parametrize(
    "path", ["", "/health/live", "/health/ready", "/models/stats", "/models/iris", "/models/iris/ready"]
)
def test_other_methods_are_405(path: str) -> None:
    response: Answered = ask(f"/v2{path}", b"{}", "POST")

    assert (response.status_code, response.json().keys()) == (405, {"error"})
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS"
