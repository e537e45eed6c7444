"""Networks by their names: `name` in PUT /set_weights, PATCH /networks/<nn_id>, and each address by a name."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from inference.dispatch.news import Switched
from inference.models import Network
from inference.versions.asking import Answers
from inference.versions.uploads import store_version
from tests.unit.inference.http.uploading import put
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import NN_ID, OTHER_NN_ID, activated, active_number, loaded, two_versions

pytestmark = pytest.mark.django_db
BY_ID, BY_NAME = f"/networks/{NN_ID}", "/networks/fraud"
NO_NAMES = ["", ".", "..", "a b", "a/b", "ä", "fraud\n", "a" * 129, NN_ID, OTHER_NN_ID]


@pytest.fixture(autouse=True)
def served(gateway: PretendedGateway) -> PretendedGateway:
    """NN_ID with versions 1 and 2, the second active, another network, and a worker that loads what it is asked to."""
    gateway.fleet.reports = Answers([loaded("w1")], 0)
    activated(store_version(OTHER_NN_ID, "w.b64", b"other", b"{}"))
    two_versions()
    return gateway


def name(client: Client, path: str, to: Any) -> Any:
    return client.patch(path, {"name": to}, content_type="application/json")


def test_a_network_is_named_and_by_its_name_again(client: Client) -> None:
    named = name(client, BY_ID, "fraud")

    assert (named.status_code, named.json()["nn_id"], named.json()["name"]) == (200, NN_ID, "fraud")
    assert name(client, BY_NAME, "fraud-2.1_b").json()["name"] == "fraud-2.1_b"
    assert name(client, "/networks/fraud-2.1_b", None).json()["name"] is None
    assert Network.objects.get(nn_id=NN_ID).name is None


def test_every_address_takes_the_name(client: Client) -> None:
    name(client, BY_ID, "fraud")

    for path in ("", "/versions/1"):
        assert client.get(BY_NAME + path).json() == client.get(BY_ID + path).json()
    assert client.get(f"{BY_NAME}/versions/1/weights").status_code == 200
    body = client.post(f"{BY_NAME}/activate", {"version": 1}, content_type="application/json").json()
    assert (body["nn_id"], body["version"], active_number()) == (NN_ID, 1, 1)
    assert client.post(f"{BY_NAME}/rollback").json()["version"] == 2
    deleted = client.delete(f"{BY_NAME}/versions/1")
    assert (deleted.status_code, deleted.json()["nn_id"]) == (200, NN_ID)


def test_the_lists_tell_it(client: Client) -> None:
    name(client, BY_ID, "fraud")

    assert client.get(BY_ID).json()["name"] == "fraud"
    told = {each["nn_id"]: each["name"] for each in client.get("/networks").json()["networks"]}
    assert told == {NN_ID: "fraud", OTHER_NN_ID: None}


def test_two_networks_cannot_have_one_name(client: Client) -> None:
    name(client, BY_ID, "fraud")

    refused = name(client, f"/networks/{OTHER_NN_ID}", "fraud")

    assert (refused.status_code, refused.json()["status"]) == (409, False)
    assert f"network {NN_ID} has the name 'fraud'" in refused.json()["message"]
    assert Network.objects.get(nn_id=OTHER_NN_ID).name is None


def test_another_name_frees_the_one_before(client: Client) -> None:
    name(client, BY_ID, "fraud")
    name(client, BY_ID, "old-fraud")

    assert name(client, f"/networks/{OTHER_NN_ID}", "fraud").status_code == 200
    assert client.get(BY_NAME).json()["nn_id"] == OTHER_NN_ID


@pytest.mark.parametrize("to", [*NO_NAMES, 5, True, ["fraud"], {"name": "fraud"}], ids=repr)
def test_what_is_no_name_is_400(to: Any, client: Client, served: PretendedGateway) -> None:
    response = name(client, BY_ID, to)

    assert (response.status_code, response.json()["status"]) == (400, False)
    assert "name" in response.json()["message"]
    assert Network.objects.get(nn_id=NN_ID).name is None
    assert served.fleet.told == []


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b"name=fraud"], ids=repr)
def test_a_body_that_says_no_name_is_400(body: bytes, client: Client) -> None:
    name(client, BY_ID, "fraud")

    assert client.patch(BY_ID, body, content_type="application/json").status_code == 400
    assert Network.objects.get(nn_id=NN_ID).name == "fraud"


def test_a_network_that_is_not_there_is_not_named(client: Client) -> None:
    assert name(client, f"/networks/{'f' * 32}", "fraud").status_code == 404
    assert name(client, BY_NAME, "fraud").status_code == 404


def test_all_gateways_hear_of_it(client: Client, served: PretendedGateway) -> None:
    name(client, BY_ID, "fraud")

    assert served.fleet.told == [Switched(NN_ID)]


def test_an_upload_by_name_alone_makes_a_network_and_then_its_next_version(client: Client) -> None:
    first = put(client, nn_id=None, name="iris").json()
    second = put(client, nn_id=None, name="iris").json()

    assert first["nn_id"] == second["nn_id"] not in (NN_ID, OTHER_NN_ID)
    assert (first["version"], second["version"]) == (1, 2)
    assert Network.objects.get(name="iris").active.number == 2


def test_an_upload_names_the_network_that_it_is_for(client: Client) -> None:
    put(client, name="fraud")
    put(client)

    network = Network.objects.get(name="fraud")
    assert (network.nn_id, network.active.number) == (NN_ID, 4)


def test_an_upload_by_another_networks_name_is_409_and_stores_nothing(client: Client) -> None:
    name(client, f"/networks/{OTHER_NN_ID}", "fraud")

    response = put(client, name="fraud")

    assert (response.status_code, OTHER_NN_ID in response.json()["message"]) == (409, True)
    assert Network.objects.get(nn_id=NN_ID).versions.count() == 2


@pytest.mark.parametrize("to", NO_NAMES, ids=repr)
def test_an_upload_by_what_is_no_name_is_400(to: str, client: Client) -> None:
    assert put(client, nn_id=None, name=to).status_code == 400
    assert Network.objects.count() == 2
