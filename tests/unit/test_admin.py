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

from inference import services
from inference.models import DefaultNetwork, Network, PredictionTiming, Version, WorkerReport
from inference.uploads import store_version
from tests.unit.samples import NN_ID, failed, loaded

pytestmark = pytest.mark.django_db
MODELS = ["network", "version", "predictiontiming", "defaultnetwork"]
TRACE = "Traceback (most recent call last):\nWeightsError: <script>alert(1)</script>"


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("operator"))
    return client


def fill(networks: int = 1) -> Version:
    """Networks with two versions each, reports of two workers, and a timing; returns the last failed version."""
    for number in range(networks):
        nn_id = f"{number:032x}" if number else NN_ID
        first = store_version(nn_id, "good.b64", b"good", b"{}")
        services.record_reports(first, [loaded("w1"), loaded("w2")])
        services.activate(first)
        second = store_version(nn_id, "bad.b64", b"bad", b"{}")
        services.record_reports(second, [loaded("w1"), failed("w2", TRACE)])
        services.mark_failed(second)
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

    listed = text(admin, changelist("network"))

    assert NN_ID in listed
    assert listed.count("icon-yes.svg") == 1
    assert listed.count("icon-no.svg") == 1


def test_the_versions_tell_their_state_and_where_they_failed(admin: Client) -> None:
    fill()

    listed = text(admin, changelist("version"))

    assert "failed on at least one worker" in listed
    assert '<td class="field-failed_on">w2</td>' in listed
    assert '<td class="field-failed_on">-</td>' in listed


def test_a_version_shows_each_workers_trace_as_text(admin: Client) -> None:
    shown = text(admin, page("version", fill().pk))

    assert "Traceback (most recent call last):" in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "<script>alert(1)" not in shown


def test_a_network_shows_its_versions(admin: Client) -> None:
    fill()

    shown = text(admin, page("network", NN_ID))

    assert "good.b64" in shown
    assert "bad.b64" in shown


def test_the_timings_show_milliseconds(admin: Client) -> None:
    fill()

    assert '<td class="field-total">2.35</td>' in text(admin, changelist("predictiontiming"))


@pytest.mark.parametrize(
    ("model", "query", "found"),
    [
        ("network", NN_ID[:8], 1),
        ("network", "nothing", 0),
        ("version", "bad.b64", 1),
        ("version", NN_ID, 2),
        ("predictiontiming", "w1", 1),
    ],
)
def test_a_list_is_searched(model: str, query: str, found: int, admin: Client) -> None:
    fill()

    assert admin.get(f"{changelist(model)}?q={query}").context["cl"].result_count == found


def keys() -> dict[str, Any]:
    return {
        "network": NN_ID,
        "version": Version.objects.latest("id").pk,
        "predictiontiming": PredictionTiming.objects.get().pk,
        "defaultnetwork": DefaultNetwork.ONLY_ID,
    }


@pytest.mark.parametrize("model", MODELS)
def test_every_page_opens(model: str, admin: Client) -> None:
    fill()

    text(admin, page(model, keys()[model]))


@pytest.mark.parametrize("model", MODELS)
def test_nothing_is_added_changed_or_deleted_by_hand(model: str, admin: Client) -> None:
    fill()
    key = keys()[model]
    before = [kind.objects.count() for kind in (Network, Version, WorkerReport, PredictionTiming, DefaultNetwork)]

    assert admin.get(f"{changelist(model)}add/").status_code == 403
    assert admin.post(f"{changelist(model)}add/", {}).status_code == 403
    assert admin.post(page(model, key), {"outcome": "failed"}).status_code == 403
    assert admin.post(f"{changelist(model)}{key}/delete/", {"post": "yes"}).status_code == 403
    admin.post(changelist(model), {"action": "delete_selected", "_selected_action": [key], "post": "yes"})

    assert before == [
        kind.objects.count() for kind in (Network, Version, WorkerReport, PredictionTiming, DefaultNetwork)
    ]


@pytest.mark.parametrize("model", MODELS)
def test_a_stranger_is_sent_to_the_login(model: str, client: Client) -> None:
    response = client.get(changelist(model))

    assert (response.status_code, response.headers["Location"].partition("?")[0]) == (302, "/admin/login/")


def queries(read: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as captured:
        read()
    return len(captured)


@pytest.mark.parametrize("model", ["network", "version", "predictiontiming"])
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
