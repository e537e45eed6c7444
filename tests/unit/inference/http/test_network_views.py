"""GET /networks, /networks/<nn_id> and /networks/<nn_id>/versions/<n>: what there is, and how it came about."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.test import Client
from django.utils.dateparse import parse_datetime

from inference.models import Activation, Version
from inference.versions.uploads import store_upload, store_version
from tests.unit.samples import NN_ID, OTHER_NN_ID, activated, failed, failed_activation, loaded, only_input
from workers.messages.terms import Expected, Terms

pytestmark = pytest.mark.django_db
TRACE = "Traceback\nWeightsError: é"
UNKNOWN = "f" * 32
READ = ["/networks", f"/networks/{NN_ID}", f"/networks/{NN_ID}/versions/1"]


def store(nn_id: str = NN_ID, weights: bytes = b"weights") -> Version:
    return store_version(nn_id, "weights.b64", weights, b"{}")


@pytest.fixture
def two() -> list[Version]:
    """An active version 1 and a version 2 that failed."""
    first, second = store(), store(weights=b"more")
    activated(first)
    failed_activation(second, loaded("w1"), failed("w2", TRACE))
    return [first, second]


def get(client: Client, path: str, **query: Any) -> Any:
    response = client.get(path, query)
    assert response.status_code == 200, response.content
    body = response.json()
    assert (body["status"], body["message"]) == (True, "OK")
    return body


def test_without_a_network_the_list_is_empty(client: Client) -> None:
    assert get(client, "/networks") == {"status": True, "message": "OK", "count": 0, "networks": []}


def test_each_network_tells_what_is_active_and_which_is_the_default(two: list[Version], client: Client) -> None:
    store(OTHER_NN_ID)

    first, second = get(client, "/networks")["networks"]

    assert parse_datetime(first.pop("last_upload")) == two[1].uploaded_at
    assert first == {"nn_id": NN_ID, "name": None, "active_version": 1, "default": True, "versions_count": 2}
    assert (second["nn_id"], second["active_version"], second["default"]) == (OTHER_NN_ID, None, False)


def test_a_network_tells_its_versions_newest_first(two: list[Version], client: Client) -> None:
    body = get(client, f"/networks/{NN_ID}")

    assert (body["nn_id"], body["active_version"], body["default"], body["count"]) == (NN_ID, 1, True, 2)
    assert [(one["number"], one["state"], one["active"]) for one in body["versions"]] == [
        (2, "failed", False),
        (1, "loaded", True),
    ]
    second = body["versions"][0]
    assert parse_datetime(second["uploaded_at"]) == two[1].uploaded_at
    assert (second["file_name"], second["size"]) == ("weights.b64", 4)
    assert (second["digest"], second["architecture"]) == (two[1].weights_id, two[1].architecture_id)


def test_a_version_tells_its_activations_with_their_reports(two: list[Version], client: Client) -> None:
    body = get(client, f"/networks/{NN_ID}/versions/2")

    assert (body["nn_id"], body["number"], body["state"], body["active"]) == (NN_ID, 2, "failed", False)
    [activation] = body["activations"]
    assert parse_datetime(activation.pop("started_at"))
    assert activation.pop("seconds") >= 0
    assert activation == {
        "kind": "upload",
        "outcome": "failed",
        "requested_by": "192.0.2.1",
        "previous_version": 1,
        "workers_asked": 2,
        "workers_answered": 2,
        "detail": "w1: WeightsError: no",
        "reports": [
            {"result": True, "worker": "w1", "seconds": 0.25},
            {"result": False, "worker": "w2", "seconds": 0.25, "trace": base64.b64encode(TRACE.encode()).decode()},
        ],
    }


def test_a_version_tells_what_came_with_it_and_what_workers_remarked(client: Client) -> None:
    expected = Expected(only_input([1.0, 2.0]), only_input([3.0]), 0.5)
    version = store_upload(NN_ID, "w", b"said", Terms(["a"], expected))
    store_upload(NN_ID, "w", b"silent")
    Version.objects.filter(pk=version.pk).update(remarks=["It is blue."])

    told, silent = (get(client, f"/networks/{NN_ID}/versions/{number}") for number in (1, 2))

    assert told["terms"] == {"order": ["a"], "examples": 1, "tolerance": 0.5}
    assert (told["remarks"], silent["remarks"], silent["terms"]) == (["It is blue."], [], None)


def test_a_version_tells_its_latest_activations_only(
    two: list[Version], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.http.network_views.ACTIVATIONS_MAX", 2)
    for _ in range(3):
        activated(two[0], Activation.Kind.ACTIVATE)

    told = get(client, f"/networks/{NN_ID}/versions/1")["activations"]

    assert [one["kind"] for one in told] == ["activate", "activate"]


def test_lists_come_page_by_page(client: Client, django_assert_max_num_queries: Any) -> None:
    for number in range(5):
        store(weights=f"{number}".encode())
        store(f"{number:032x}")

    with django_assert_max_num_queries(2):
        page = get(client, "/networks", limit=2, offset=4)
    assert (page["count"], [one["nn_id"] for one in page["networks"]]) == (6, [f"{4:032x}", NN_ID])
    with django_assert_max_num_queries(4):
        page = get(client, f"/networks/{NN_ID}", limit=2, offset=1)
    assert (page["count"], [one["number"] for one in page["versions"]]) == (5, [4, 3])
    assert get(client, "/networks", offset=9)["networks"] == []


@pytest.mark.parametrize("path", READ[:2])
@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "offset=-1", "offset=1e3", "offset=99999999999999999999"]
)
def test_a_page_that_there_cannot_be_is_400(path: str, query: str, client: Client, two: list[Version]) -> None:
    response = client.get(f"{path}?{query}")

    assert (response.status_code, response.json()["status"]) == (400, False)
    assert query.partition("=")[0] in response.json()["message"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (f"/networks/{UNKNOWN}", "GET /networks lists them"),
        (f"/networks/{UNKNOWN}/versions/1", f"GET /networks/{UNKNOWN} lists them"),
        (f"/networks/{NN_ID}/versions/3", f"GET /networks/{NN_ID} lists them"),
        ("/networks/", "not found"),
        (f"/networks/{NN_ID}/", "not found"),
        (f"/networks/{NN_ID.upper()}", "GET /networks lists them"),
        (f"/networks/{NN_ID[1:]}", "GET /networks lists them"),
        ("/networks/a b", "not found"),
        (f"/networks/{'a' * 129}", "not found"),
        (f"/networks/{NN_ID}%0a", "not found"),
        (f"/networks/{NN_ID}/versions", "not found"),
        (f"/networks/{NN_ID}/versions/0", "not found"),
        (f"/networks/{NN_ID}/versions/01", "not found"),
        (f"/networks/{NN_ID}/versions/-1", "not found"),
        (f"/networks/{NN_ID}/versions/1.0", "not found"),
        (f"/networks/{NN_ID}/versions/{'9' * 5000}", "not found"),
    ],
    ids=lambda value: value[:60],
)
def test_what_is_not_there_is_404(path: str, message: str, client: Client, two: list[Version]) -> None:
    response = client.get(path)

    assert (response.status_code, response.json()["status"]) == (404, False)
    assert message in response.json()["message"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (READ[0], {"get"}),
        (READ[1], {"get", "patch"}),
        (READ[2], {"get", "delete"}),
        (f"{READ[2]}/weights", {"get"}),
        (f"{READ[1]}/activate", {"post"}),
        (f"{READ[1]}/rollback", {"post"}),
        (f"{READ[1]}/labels/stable", {"put", "delete"}),
    ],
)
def test_a_wrong_method_is_405(path: str, allowed: set[str], client: Client, two: list[Version]) -> None:
    for method in {"get", "post", "put", "patch", "delete"} - allowed:
        response = getattr(client, method)(path)
        assert (response.status_code, response.json()["status"]) == (405, False), method
    assert Version.objects.exclude(state=Version.State.DELETED).count() == 2


@pytest.fixture
def old(two: list[Version]) -> Version:
    """Version 1, which another one has replaced."""
    activated(two[1])
    return two[0]


def test_a_version_that_is_not_active_is_deleted_and_remembered(old: Version, client: Client) -> None:
    response = client.delete(READ[2])

    assert response.status_code == 200
    assert response.json() == {"status": True, "message": "OK", "nn_id": NN_ID, "version": 1}
    body = get(client, READ[2])
    assert (body["state"], body["digest"], len(body["activations"])) == ("deleted", old.weights_id, 1)
    assert client.delete(READ[2]).status_code == 404


def test_the_active_version_is_not_deleted(two: list[Version], client: Client) -> None:
    response = client.delete(READ[2])

    assert (response.status_code, response.json()["status"]) == (409, False)
    assert "activate another one first" in response.json()["message"]


def test_what_is_not_there_is_not_deleted(client: Client, two: list[Version]) -> None:
    assert client.delete(f"/networks/{NN_ID}/versions/9").status_code == 404
    assert client.delete(f"/networks/{UNKNOWN}/versions/1").status_code == 404
