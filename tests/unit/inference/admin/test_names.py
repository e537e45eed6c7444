"""A network's name and labels on its page: who sees them, who changes them, and that it is on record."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from inference.dispatch.news import Switched
from inference.models import Label, Network, Version
from inference.versions.naming import label_version, name_network
from tests.support.admin_page import rows
from tests.unit.admin_samples import JSON, NETWORK, UPLOAD, form, past, person, text
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import NN_ID, OTHER_NN_ID

pytestmark = pytest.mark.django_db
NAME, LABELS, REMOVE = f"{NETWORK}/name/", f"{NETWORK}/labels/", f"{NETWORK}/labels/remove/"
WAYS = [(NAME, {"name": "fraud"}), (LABELS, {"label": "stable", "version": "1"}), (REMOVE, {"label": "stable"})]
LIST = "/admin/inference/network/"


@pytest.fixture(autouse=True)
def filled(gateway: PretendedGateway) -> PretendedGateway:
    """Versions 1 and 2, the second active, and a third that failed."""
    past()
    return gateway


def name() -> str | None:
    return Network.objects.get(nn_id=NN_ID).name


def labels() -> dict[str, int]:
    return dict(Label.objects.values_list("label", "version__number"))


def said(response: Any) -> str:
    assert response.redirect_chain == [(f"{NETWORK}/change/", 302)]
    return str(response.content.decode())


def test_an_operator_names_a_network_and_takes_the_name_back(operator: Client, filled: PretendedGateway) -> None:
    page = said(operator.post(NAME, {"name": "fraud"}, follow=True))

    assert "The network is called fraud." in page
    assert 'id="network-name">fraud<' in page
    assert filled.fleet.told == [Switched(NN_ID)]
    assert "The network has no name." in said(operator.post(NAME, {"name": ""}, follow=True))
    assert name() is None


def test_an_operator_sets_moves_and_removes_a_label(operator: Client) -> None:
    page = said(operator.post(LABELS, {"label": "stable", "version": "1"}, follow=True))
    assert "The label stable stands for version 1." in page
    assert 'data-label="stable"' in page

    operator.post(LABELS, {"label": "stable", "version": "2"})
    assert labels() == {"stable": 2}

    assert "The label stable is removed." in said(operator.post(REMOVE, {"label": "stable"}, follow=True))
    assert labels() == {}


def test_each_change_is_on_record_with_who_made_it(operator: Client) -> None:
    for path, told in WAYS:
        operator.post(path, told)

    record = LogEntry.objects.order_by("id").values_list("user__username", "object_id", "change_message")
    assert list(record) == [
        ("somebody", NN_ID, "The network is called fraud."),
        ("somebody", NN_ID, "The label stable stands for version 1."),
        ("somebody", NN_ID, "The label stable is removed."),
    ]
    assert "The network is called fraud." in text(operator, f"{NETWORK}/history/")


@pytest.mark.parametrize(
    ("path", "told", "reason"),
    [
        (NAME, {"name": "a b"}, "Name must be 1 to 128 letters"),
        (NAME, {"name": OTHER_NN_ID}, "Name must be 1 to 128 letters"),
        (NAME, {"name": "a" * 129}, "name: Ensure this value has at most 128 characters"),
        (NAME, {"name": "taken"}, f"Network {OTHER_NN_ID} has the name"),
        (LABELS, {"label": "a b", "version": "1"}, "A label must be"),
        (LABELS, {"label": "stable", "version": "3"}, "is failed"),
        (LABELS, {"label": "stable", "version": "9"}, "There is no version 9"),
        (LABELS, {"label": "stable", "version": "x"}, "version: Enter a whole number."),
        (LABELS, {"label": "stable"}, "version: This field is required."),
        (REMOVE, {"label": "nothing"}, "has no label nothing"),
    ],
    ids=lambda value: str(value)[-40:],
)
def test_what_cannot_be_done_is_said(path: str, told: dict[str, str], reason: str, operator: Client) -> None:
    Network.objects.create(nn_id=OTHER_NN_ID, name="taken")

    assert reason in said(operator.post(path, told, follow=True))
    assert (name(), labels(), LogEntry.objects.count()) == (None, {}, 0)


@pytest.mark.parametrize(("path", "told"), WAYS)
@pytest.mark.parametrize("group", ["viewer", None])
def test_who_is_no_operator_changes_nothing(path: str, told: dict[str, str], group: str | None) -> None:
    label_version(NN_ID, "stable", 2)
    client = person(group)

    assert client.post(path, told).status_code == 403
    assert client.get(path).status_code == 403
    assert (name(), labels()) == (None, {"stable": 2})


@pytest.mark.parametrize(("path", "told"), WAYS)
def test_a_form_without_the_token_is_refused(path: str, told: dict[str, str], operator: Client) -> None:
    label_version(NN_ID, "stable", 2)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = operator.cookies

    assert strict.post(path, told).status_code == 403
    assert (name(), labels()) == (None, {"stable": 2})


@pytest.mark.parametrize(("path", "told"), WAYS)
def test_only_a_form_changes_them(path: str, told: dict[str, str], operator: Client, client: Client) -> None:
    assert operator.get(path).status_code == 405
    stranger = client.post(path, told)
    assert (stranger.status_code, stranger.headers["Location"]) == (302, f"/admin/login/?next={path}")


def test_a_network_that_is_gone_is_said(operator: Client) -> None:
    response = operator.post(f"{LIST}{'f' * 32}/name/", {"name": "fraud"}, follow=True)

    assert (response.status_code, "There is no network" in response.content.decode()) == (404, True)


def test_a_viewer_sees_name_and_labels_and_no_forms(viewer: Client) -> None:
    name_network(Network.objects.get(nn_id=NN_ID), "fraud")
    label_version(NN_ID, "stable", 1)

    page = text(viewer, f"{NETWORK}/change/")

    assert 'id="network-name">fraud<' in page
    assert 'data-label="stable"' in page
    for denied in ('id="name-form"', 'id="label-form"', "/labels/remove/"):
        assert denied not in page


def test_the_list_of_networks_tells_names_and_finds_them(viewer: Client) -> None:
    name_network(Network.objects.get(nn_id=NN_ID), "fraud-model")
    Network.objects.create(nn_id=OTHER_NN_ID)

    assert [row["name"] for row in rows(text(viewer, LIST))] == ["fraud-model", "-"]
    for found in ("model", "FRAUD", NN_ID[:5]):
        assert [row["network"] for row in rows(text(viewer, f"{LIST}?q={found}"))] == [NN_ID]


def test_an_upload_may_name_its_network(operator: Client, workers: PretendedGateway) -> None:
    operator.post(UPLOAD, {**form(), "name": "fraud"})
    assert name() == "fraud"
    operator.post(UPLOAD, form())
    assert (name(), Version.objects.count()) == ("fraud", 5)
    assert operator.post(UPLOAD, {**form(), "name": "cards"}, **JSON).status_code == 200
    assert name() == "cards"


@pytest.mark.parametrize(("to", "status"), [("a b", 400), (NN_ID, 400), ("taken", 409)])
def test_an_upload_by_a_name_that_cannot_be_is_refused(
    to: str, status: int, operator: Client, workers: PretendedGateway
) -> None:
    Network.objects.create(nn_id=OTHER_NN_ID, name="taken")

    response = operator.post(UPLOAD, {**form(), "name": to}, **JSON)

    assert (response.status_code, Version.objects.count(), name()) == (status, 3, None)
    assert "name" in response.json()["trouble"]
