"""The admin's pages, empty and filled: who sees them, what they show, and how many queries each takes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from inference.admin import network_page
from inference.dispatch.predict_input import PREDICT_DOOR
from inference.errors import BrokerUnavailableError
from inference.models import Activation, Rollup
from inference.statistics.timing import Timing
from inference.statistics.timings import Timings
from inference.versions import services
from inference.versions.asking import Answers
from inference.versions.uploads import store_version
from tests.support.admin_page import rows
from tests.unit.admin_samples import ARCHITECTURE_TEXT, ago, past, person, queries, text
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import NN_ID, OTHER_NN_ID, activated, worker_status

pytestmark = pytest.mark.django_db
NETWORKS, NETWORK = "/admin/inference/network/", f"/admin/inference/network/{NN_ID}/change/"
WORKERS = "/admin/workers/"
LISTS = ["/admin/", NETWORKS, WORKERS, "/admin/inference/version/", "/admin/inference/activation/",
         "/admin/inference/predictiontiming/"]  # fmt: skip
#: No page takes more, whatever it shows: the session, the user and permissions are four of them.
QUERIES_MAX = 14


def requests(count: int, nn_id: str = NN_ID, version: int = 2, worker: str = "w1") -> None:
    """So many requests, as a gateway writes them."""
    timings = Timings()
    for _ in range(count):
        timings.add(Timing(timezone.now(), nn_id, version, worker, 1, 1, 2.0, 0.5, 0.25, "answered", PREDICT_DOOR))
    timings.flush()


@pytest.mark.parametrize("filled", [False, True])
@pytest.mark.parametrize("path", LISTS)
def test_a_viewer_sees_every_list(path: str, filled: bool, viewer: Client, gateway: PretendedGateway) -> None:
    if filled:
        past()
        requests(3)
        gateway.fleet.statuses = Answers([worker_status("w1")], 0)

    assert queries(lambda: text(viewer, path)) <= QUERIES_MAX


@pytest.mark.parametrize("path", LISTS[1:])
def test_staff_of_no_group_sees_nothing(path: str, gateway: PretendedGateway) -> None:
    text(person(None), path, 403)


def test_the_sidebar_leads_to_every_page_that_a_viewer_may_see(viewer: Client) -> None:
    page = text(viewer, "/admin/")

    for path in (*LISTS[:3], *LISTS[4:]):
        assert f'href="{path}"' in page
    assert "/admin/auth/user/" not in page


def test_the_groups_have_their_permissions() -> None:
    def names(group: str) -> set[str]:
        return set(Group.objects.get(name=group).permissions.values_list("codename", flat=True))

    assert {"view_network", "view_version", "view_activation", "view_workerreport", "view_predictiontiming"} <= names(
        "viewer"
    )
    assert all(name.startswith("view_") for name in names("viewer"))
    changes = {"add_version", "activate_version", "delete_version", "revoke_accesstoken"}
    assert names("operator") - names("viewer") == changes


def test_without_a_network_it_is_said_how_to_make_one(viewer: Client) -> None:
    assert "manage.py load_weights FILE" in text(viewer, NETWORKS)
    assert 'id="upload"' not in text(viewer, NETWORKS)
    assert 'id="upload"' in text(person("operator", "other"), NETWORKS)


def test_the_list_of_networks_tells_versions_and_requests(viewer: Client) -> None:
    past()
    activated(store_version(OTHER_NN_ID, "other.h5", b"other", ARCHITECTURE_TEXT))
    requests(3)

    first, second = rows(text(viewer, NETWORKS))

    assert (first["network"], first["active_number"], first["versions_count"], first["requests"]) == (
        NN_ID,
        "2",
        "3",
        "3",
    )
    assert float(first["p50"]) == pytest.approx(2.0, rel=0.05)
    assert (second["network"], second["requests"], second["p50"]) == (OTHER_NN_ID, "0", "-")
    assert [row["is_default"] == "default" for row in (first, second)] == [False, True]


def test_a_network_shows_its_versions_side_by_side(viewer: Client) -> None:
    versions = past()
    requests(3)
    requests(1, version=1)

    page = text(viewer, NETWORK)

    assert page.index('data-version="3"') < page.index('data-version="2"') < page.index('data-version="1"')
    assert 'data-version="2" data-state="loaded" data-active="true"' in page
    assert 'data-version="3" data-state="failed"' in page
    assert versions[0].weights_id in page
    assert "501 parameters" in page
    assert 'id="default"' in page
    assert "data-action" in page
    for denied in ('data-action="activate"', 'data-action="delete"', 'id="rollback"', 'id="upload"'):
        assert denied not in page


def test_an_operator_is_offered_what_can_be_done(gateway: PretendedGateway) -> None:
    past()
    services.delete_version(NN_ID, 3, "somebody")

    page = text(person("operator"), NETWORK)

    assert f"/admin/inference/network/{NN_ID}/versions/1/activate/" in page
    assert f"/admin/inference/network/{NN_ID}/versions/1/delete/" in page
    assert f"/admin/inference/network/{NN_ID}/versions/2/delete/" not in page
    assert f"/admin/inference/network/{NN_ID}/versions/3/" not in page
    assert 'id="rollback"' in page


def test_a_network_of_many_versions_is_paged(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_page, "VERSIONS_A_PAGE", 2)
    past()

    first, second = text(viewer, NETWORK), text(viewer, f"{NETWORK}?page=2")

    assert first.count("data-version=") == 2
    assert second.count("data-version=") == 1
    assert 'rel="next" href="?page=2"' in first


def test_more_versions_networks_and_workers_take_no_more_queries(viewer: Client, gateway: PretendedGateway) -> None:
    def look(path: str) -> int:
        return queries(lambda: text(viewer, path))

    past()
    gateway.fleet.statuses = Answers([worker_status("w1")], 0)
    look(NETWORK)  # the architecture is read once by a process
    few = {path: look(path) for path in (*LISTS, NETWORK)}
    for number in range(1, 5):
        past(f"{number:032x}")
        store_version(NN_ID, "more.h5", b"more%d" % number, ARCHITECTURE_TEXT)
        requests(2, f"{number:032x}", worker=f"w{number}")
    gateway.fleet.statuses = Answers([worker_status(f"w{number}") for number in range(8)], 0)

    assert {path: look(path) for path in few} == few
    assert max(few.values()) <= QUERIES_MAX


def test_a_network_without_an_active_version_is_shown(viewer: Client) -> None:
    store_version(NN_ID, "new.h5", b"new", b"no model")

    page = text(viewer, NETWORK)

    assert 'id="active-version">none' in page
    assert "The architecture cannot be read here." in page


def test_an_activation_shows_who_asked_and_each_report(viewer: Client) -> None:
    past()

    page = text(viewer, f"/admin/inference/activation/{Activation.objects.latest('id').pk}/change/")

    assert 'data-worker="w1" data-loaded="true"' in page
    assert 'data-worker="w2" data-loaded="false"' in page
    assert "Traceback (most recent call last):" in page
    assert "192.0.2.1" in page
    assert "data-running" not in page


def test_an_activation_that_runs_is_looked_at_again(viewer: Client) -> None:
    activation = services.begin(past()[0], Activation.Kind.ACTIVATE, "somebody")
    path = f"/admin/inference/activation/{activation.pk}/change/"

    assert f'data-running="/admin/inference/network/{NN_ID}/versions/1/progress/?activation={activation.pk}"' in text(
        viewer, path
    )
    Activation.objects.filter(pk=activation.pk).update(started_at=timezone.now() - timedelta(days=1))
    assert "interrupted" in text(viewer, path)
    assert "data-running" not in text(viewer, path)


@pytest.mark.parametrize("key", ["0", "999999", "x", "9" * 30])
def test_an_activation_that_is_not_there_is_a_404(key: str, viewer: Client) -> None:
    assert viewer.get(f"/admin/inference/activation/{key}/change/").status_code == 404


def test_a_connected_worker_tells_what_it_runs_and_holds(viewer: Client, gateway: PretendedGateway) -> None:
    version = past()[1]
    details = worker_status().details
    assert details
    held = replace(details.loaded[0], digest=version.weights_id)
    gateway.fleet.statuses = Answers([replace(worker_status("w1"), details=replace(details, loaded=[held]))], 1)
    requests(3)

    page = text(viewer, WORKERS)

    for shown in ("192.0.2.7", "3.11.2", "3.15.1", "2.21.0", "600.0\xa0MB", "1.0\xa0GB", ">2</span>", 'id="silent"'):
        assert shown in page, shown
    assert 'id="skew"' not in page


def test_workers_of_different_programs_are_said(viewer: Client, gateway: PretendedGateway) -> None:
    details = worker_status().details
    assert details
    other = replace(details, programs=details.programs | {"keras": "3.14.0"})
    old = replace(worker_status("w3"), details=None)
    gateway.fleet.statuses = Answers([worker_status("w1"), replace(worker_status("w2"), details=other), old], 0)

    assert 'id="skew"' in text(viewer, WORKERS)


def test_without_a_worker_it_is_said_how_to_start_one(viewer: Client) -> None:
    assert "celery -A workers worker" in text(viewer, WORKERS)


def test_without_a_broker_the_page_says_so_and_shows_who_was_there(viewer: Client, gateway: PretendedGateway) -> None:
    past()
    requests(1, worker="w9")
    gateway.fleet.statuses = BrokerUnavailableError("gone")

    page = text(viewer, WORKERS)

    assert "The broker cannot be reached." in page
    gone = page[page.index('id="gone"') :]
    assert all(f'data-worker="{name}"' in gone for name in ("w1", "w2", "w9"))


def test_a_worker_is_gone_when_it_is_not_connected(viewer: Client, gateway: PretendedGateway) -> None:
    past()
    requests(1, worker="w9")
    Rollup.objects.filter(worker="w9").update(start=ago(days=3))
    gateway.fleet.statuses = Answers([worker_status("w1")], 0)

    gone = text(viewer, WORKERS).partition('id="gone"')[2]

    assert 'data-worker="w2"' in gone
    assert 'data-worker="w1"' not in gone
    assert 'data-worker="w9"' not in gone


def test_what_a_person_may_not_do_is_told_kindly(viewer: Client) -> None:
    page = text(viewer, "/admin/inference/network/upload/", 403)

    assert "operator" in page


def test_text_of_others_stays_text(viewer: Client) -> None:
    evil = "<script>alert(1)</script>"
    version = store_version(NN_ID, evil, b"x", ARCHITECTURE_TEXT.replace(b'"hidden_1"', b'"<script>alert(1)</script>"'))
    activated(version)

    for path in (NETWORK, NETWORKS, "/admin/inference/version/", f"/admin/inference/version/{version.pk}/change/"):
        assert "<script>alert(1)" not in text(viewer, path)
