"""The admin's pages: everything is seen, nothing is changed by hand, and lists stay few queries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inference.models import Activation, DefaultNetwork, Network, PredictionTiming, Version, WorkerReport
from inference.versions.uploads import store_version
from tests.support.admin_page import rows
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import NN_ID, activated, failed, failed_activation, loaded

pytestmark = pytest.mark.django_db
MODELS = ["network", "version", "activation", "predictiontiming"]
RECORDS = [Network, Version, Activation, WorkerReport, PredictionTiming, DefaultNetwork]
TRACE = "Traceback (most recent call last):\nWeightsError: <script>alert(1)</script>"


@pytest.fixture
def admin(client: Client, gateway: PretendedGateway) -> Client:
    client.force_login(User.objects.create_superuser("operator"))
    return client


def fill(networks: int = 1) -> Version:
    """Networks with two versions each, reports of two workers, and a timing; returns the last failed version."""
    for number in range(networks):
        nn_id = f"{number:032x}" if number else NN_ID
        first = store_version(nn_id, "good.b64", b"good", b"{}")
        activated(first)
        second = store_version(nn_id, "bad.b64", b"bad", b"{}")
        failed_activation(second, loaded("w1"), failed("w2", TRACE))
        PredictionTiming.objects.create(
            at=timezone.now(), nn_id=nn_id, version=1, worker="w1", rows=1, batch_rows=3, total_ms=2.351,
            queue_ms=0.5, inference_ms=0.25, outcome="answered",
        )  # fmt: skip
    return second


def changelist(model: str) -> str:
    return f"/admin/inference/{model}/"


def page(model: str, key: Any) -> str:
    return f"/admin/inference/{model}/{key}/change/"


def text(admin: Client, path: str) -> str:
    response = admin.get(path)
    assert response.status_code == 200, path
    return response.content.decode()


def test_the_index_names_everything(admin: Client) -> None:
    index = text(admin, "/admin/")

    for model in MODELS:
        assert changelist(model) in index


@pytest.mark.parametrize("filled", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_every_list_opens(model: str, filled: bool, admin: Client) -> None:
    if filled:
        fill()

    text(admin, changelist(model))


def test_the_networks_tell_their_active_version_and_which_is_the_default(admin: Client) -> None:
    fill(networks=2)

    listed = rows(text(admin, changelist("network")))

    assert {row["network"] for row in listed} == {NN_ID, f"{1:032x}"}
    assert [row["is_default"] for row in listed].count("default") == 1


def test_the_versions_tell_their_state_and_where_they_failed(admin: Client) -> None:
    fill()

    listed = rows(text(admin, changelist("version")))

    assert listed[0]["state_word"] == "failed"
    assert [row["failed_on"] for row in listed] == ["w2", "-"]


def test_an_activation_shows_each_workers_trace_as_text(admin: Client) -> None:
    fill()

    shown = text(admin, page("activation", Activation.objects.latest("id").pk))

    assert "Traceback (most recent call last):" in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "<script>alert(1)" not in shown


def test_a_version_leads_to_its_activations(admin: Client) -> None:
    version = fill()
    address = f"{changelist('activation')}?version__id__exact={version.pk}"

    assert f'<a href="{address}">1, with reports</a>' in text(admin, page("version", version.pk))
    assert admin.get(address).context["cl"].result_count == 1


def test_the_activations_tell_who_asked_and_how_each_ended(admin: Client) -> None:
    fill()
    activated(Version.objects.get(number=1), Activation.Kind.ROLLBACK)

    listed = rows(text(admin, changelist("activation")))

    endings = [(row["kind"], row["replaced"], row["ending"]) for row in listed]
    assert endings == [("Rollback", "1", "activated"), ("Upload", "1", "failed"), ("Upload", "-", "activated")]
    assert {row["requested_by"] for row in listed} == {"192.0.2.1"}
    assert listed[1]["workers"] == "2 of 2"


def test_a_network_shows_its_versions(admin: Client) -> None:
    fill()

    shown = text(admin, page("network", NN_ID))

    assert "good.b64" in shown
    assert "bad.b64" in shown


def test_the_timings_show_milliseconds(admin: Client) -> None:
    fill()

    assert [row["total"] for row in rows(text(admin, changelist("predictiontiming")))] == ["2.35"]


@pytest.mark.parametrize(
    ("model", "query", "found"),
    [
        ("network", NN_ID[:8], 1),
        ("network", "nothing", 0),
        ("version", "bad.b64", 1),
        ("version", NN_ID, 2),
        ("activation", NN_ID, 2),
        ("activation", "WeightsError", 1),
    ],
)
def test_a_list_is_searched(model: str, query: str, found: int, admin: Client) -> None:
    fill()

    assert admin.get(f"{changelist(model)}?q={query}").context["cl"].result_count == found


def keys() -> dict[str, Any]:
    return {
        "network": NN_ID,
        "version": Version.objects.latest("id").pk,
        "activation": Activation.objects.latest("id").pk,
        "predictiontiming": PredictionTiming.objects.get().pk,
    }


@pytest.mark.parametrize("model", MODELS)
def test_every_page_opens(model: str, admin: Client) -> None:
    fill()

    text(admin, page(model, keys()[model]))


@pytest.mark.parametrize("model", MODELS)
def test_nothing_is_added_changed_or_deleted_by_hand(model: str, admin: Client) -> None:
    fill()
    key = keys()[model]
    before = [kind.objects.count() for kind in RECORDS]

    assert admin.get(f"{changelist(model)}add/").status_code == 403
    assert admin.post(f"{changelist(model)}add/", {}).status_code == 403
    assert admin.post(page(model, key), {"outcome": "failed"}).status_code == 403
    assert admin.post(f"{changelist(model)}{key}/delete/", {"post": "yes"}).status_code == 403
    admin.post(changelist(model), {"action": "delete_selected", "_selected_action": [key], "post": "yes"})

    assert before == [kind.objects.count() for kind in RECORDS]


@pytest.mark.parametrize("model", MODELS)
def test_a_stranger_is_sent_to_the_login(model: str, client: Client) -> None:
    response = client.get(changelist(model))

    assert (response.status_code, response.headers["Location"].partition("?")[0]) == (302, "/admin/login/")


def queries(read: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as captured:
        read()
    return len(captured)


@pytest.mark.parametrize("model", ["network", "version", "activation", "predictiontiming"])
def test_a_longer_list_takes_no_more_queries(model: str, admin: Client) -> None:
    fill()
    few = queries(lambda: admin.get(changelist(model)))
    fill(networks=8)

    assert queries(lambda: admin.get(changelist(model))) <= few


def test_more_versions_take_no_more_queries_on_a_networks_page(admin: Client) -> None:
    fill()
    few = queries(lambda: admin.get(page("network", NN_ID)))
    for _ in range(5):
        fill()

    assert queries(lambda: admin.get(page("network", NN_ID))) <= few
