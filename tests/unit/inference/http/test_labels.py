"""PUT and DELETE /networks/<nn_id>/labels/<label>: a label is moved from version to version."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from inference.dispatch.news import Switched
from inference.models import Label, Network
from inference.versions.uploads import store_version
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import NN_ID, OTHER_NN_ID, activated, failed_activation, two_versions

pytestmark = pytest.mark.django_db
NETWORK = f"/networks/{NN_ID}"
STABLE = f"{NETWORK}/labels/stable"


@pytest.fixture(autouse=True)
def served(gateway: PretendedGateway) -> PretendedGateway:
    """Versions 1 and 2, the second active."""
    two_versions()
    return gateway


def label(client: Client, number: Any, path: str = STABLE) -> Any:
    return client.put(path, {"version": number}, content_type="application/json")


def labels(client: Client) -> Any:
    return client.get(NETWORK).json()["labels"]


def test_a_label_stands_for_a_version_and_moves(client: Client) -> None:
    assert labels(client) == {}
    told = label(client, 1)
    assert told.json() == {"status": True, "message": "OK", "nn_id": NN_ID, "label": "stable", "version": 1}
    label(client, 2, f"{NETWORK}/labels/canary")
    assert labels(client) == {"stable": 1, "canary": 2}

    label(client, 2)

    assert labels(client) == {"stable": 2, "canary": 2}


def test_each_network_has_its_own(client: Client) -> None:
    activated(store_version(OTHER_NN_ID, "w.b64", b"other", b"{}"))

    label(client, 2)
    label(client, 1, f"/networks/{OTHER_NN_ID}/labels/stable")

    assert labels(client) == {"stable": 2}


def test_a_label_is_given_by_the_networks_name(client: Client) -> None:
    Network.objects.filter(nn_id=NN_ID).update(name="fraud")

    assert label(client, 1, "/networks/fraud/labels/stable").json()["nn_id"] == NN_ID
    assert client.delete("/networks/fraud/labels/stable").json()["nn_id"] == NN_ID


def test_a_label_is_forgotten_once(client: Client) -> None:
    label(client, 1)

    removed = client.delete(STABLE)

    assert removed.json() == {"status": True, "message": "OK", "nn_id": NN_ID, "label": "stable", "version": None}
    assert labels(client) == {}
    again = client.delete(STABLE)
    assert (again.status_code, "has no label stable" in again.json()["message"]) == (404, True)


@pytest.mark.parametrize("state", ["pending", "failed", "deleted"])
def test_a_version_that_cannot_answer_has_no_label(state: str, client: Client) -> None:
    version = store_version(NN_ID, "w.b64", b"three", b"{}")
    if state == "failed":
        failed_activation(version)
    elif state == "deleted":
        client.delete(f"{NETWORK}/versions/3")

    response = label(client, 3)

    assert (response.status_code, response.json()["status"]) == (409, False)
    assert f"is {state}" in response.json()["message"]
    assert not Label.objects.exists()


@pytest.mark.parametrize("body", [b"", b"{}", b'{"version": "1"}', b'{"version": 0}', b'{"version": null}'], ids=repr)
def test_a_body_that_names_no_version_is_400(body: bytes, client: Client) -> None:
    assert client.put(STABLE, body, content_type="application/json").status_code == 400


def test_what_looks_like_an_id_is_no_label(client: Client) -> None:
    response = label(client, 1, f"{NETWORK}/labels/{OTHER_NN_ID}")

    assert (response.status_code, "a label must be" in response.json()["message"]) == (400, True)


def test_what_is_not_there_is_404(client: Client) -> None:
    assert label(client, 9).status_code == 404
    assert label(client, 1, f"/networks/{'f' * 32}/labels/stable").status_code == 404
    assert label(client, 1, f"{NETWORK}/labels/a b").status_code == 404
    assert client.delete(f"/networks/{'f' * 32}/labels/stable").status_code == 404


def test_all_gateways_hear_of_it(client: Client, served: PretendedGateway) -> None:
    label(client, 1)
    client.delete(STABLE)
    client.delete(STABLE)

    assert served.fleet.told == [Switched(NN_ID)] * 2
