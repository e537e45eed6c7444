"""The pages that change a network: who may, what each asks, what it does, and how it tells what went wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from inference.errors import BrokerUnavailableError
from inference.http import weight_changes
from inference.models import Activation, Network, Version
from inference.versions import services
from inference.versions.asking import Answers
from tests.unit.admin_samples import JSON, NETWORK, TRACE, UPLOAD, form, past, person, text
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import NN_ID, OTHER_NN_ID, active_number, failed, loaded

pytestmark = pytest.mark.django_db
CHANGES = [f"{NETWORK}/versions/1/activate/", f"{NETWORK}/rollback/", f"{NETWORK}/versions/1/delete/"]
MISSING = "f" * 32


@pytest.mark.parametrize("group", ["viewer", None])
@pytest.mark.parametrize("path", [*CHANGES, UPLOAD, f"{NETWORK}/upload/", f"{NETWORK}/versions/3/load/"])
def test_who_is_no_operator_changes_nothing(path: str, group: str | None, workers: PretendedGateway) -> None:
    past()
    client = person(group)

    assert client.get(path).status_code == 403
    assert client.post(path, form()).status_code == 403
    assert (active_number(), Version.objects.count(), Activation.objects.count()) == (2, 3, 3)


@pytest.mark.parametrize("path", [*CHANGES, UPLOAD])
def test_a_stranger_is_sent_to_the_login(path: str, client: Client) -> None:
    for response in (client.get(path), client.post(path, form())):
        assert (response.status_code, response.headers["Location"]) == (302, f"/admin/login/?next={path}")


@pytest.mark.parametrize("path", [*CHANGES, UPLOAD])
def test_a_form_without_the_token_is_refused(path: str, operator: Client, workers: PretendedGateway) -> None:
    past()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = operator.cookies

    assert strict.post(path, form(nn_id=OTHER_NN_ID)).status_code == 403
    assert (active_number(), Network.objects.count(), Activation.objects.count()) == (2, 1, 3)


def test_a_form_by_a_proxy_that_is_not_told_of_names_the_setting(client: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    said = strict.post("/admin/login/", headers={"origin": "https://models.example.com"})

    assert said.status_code == 403
    assert "PIPELINE_TRUSTED_ORIGINS=https://models.example.com" in said.text
    assert "asked as <code>http://testserver</code>" in said.text


def test_a_form_with_the_token_is_taken(operator: Client, workers: PretendedGateway) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = operator.cookies
    page = text(strict, UPLOAD)
    token = page.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]

    assert strict.post(UPLOAD, form() | {"csrfmiddlewaretoken": token}).status_code == 302
    assert active_number() == 1


def test_activating_is_asked_about_and_done(operator: Client, workers: PretendedGateway) -> None:
    past()
    page = text(operator, CHANGES[0])
    assert "Activate version 1?" in page
    assert "one.h5" in page

    response = operator.post(CHANGES[0], follow=True)

    activation = Activation.objects.latest("id")
    assert response.redirect_chain == [(f"/admin/inference/activation/{activation.pk}/change/", 302)]
    assert "Version 1 is active: 2 workers loaded it." in response.content.decode()
    assert (active_number(), activation.kind, activation.requested_by) == (1, "activate", "somebody")


def test_rolling_back_is_asked_about_and_done(operator: Client, workers: PretendedGateway) -> None:
    past()
    assert "Roll back to version 1?" in text(operator, CHANGES[1])

    operator.post(CHANGES[1])

    assert (active_number(), Activation.objects.latest("id").kind) == (1, "rollback")


def test_deleting_is_asked_about_and_done(operator: Client) -> None:
    past()
    assert "Delete version 1?" in text(operator, CHANGES[2])

    response = operator.post(CHANGES[2], follow=True)

    assert response.redirect_chain == [(f"{NETWORK}/change/", 302)]
    assert "The weights of version 1 are deleted." in response.content.decode()
    assert Version.objects.get(number=1).state == Version.State.DELETED


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        (f"{NETWORK}/versions/2/activate/", 409, "is active already"),
        (f"{NETWORK}/versions/2/delete/", 409, "activate another one first"),
        (f"{NETWORK}/versions/9/activate/", 404, "There is no version 9"),
        (f"{NETWORK}/versions/9/delete/", 404, "There is no version 9"),
        (f"/admin/inference/network/{MISSING}/rollback/", 404, "There is no network"),
        (f"/admin/inference/network/{MISSING}/upload/", 404, "There is no network"),
        (f"/admin/inference/network/{MISSING}/change/", 404, "There is no network"),
    ],
)
def test_what_cannot_be_done_is_said_before(path: str, status: int, says: str, operator: Client) -> None:
    past()

    page = text(operator, path, status)

    assert says in page
    assert 'id="trouble" role="alert">' in page


def test_what_was_never_active_cannot_be_rolled_back_to(operator: Client, workers: PretendedGateway) -> None:
    operator.post(UPLOAD, form())

    assert "nothing to roll back to" in text(operator, CHANGES[1], 409).lower()
    assert operator.post(CHANGES[1]).status_code == 409


def test_a_deleted_version_is_not_activated(operator: Client, workers: PretendedGateway) -> None:
    past()
    services.delete_version(NN_ID, 1, "somebody")

    for response in (operator.get(CHANGES[0]), operator.post(CHANGES[0]), operator.get(CHANGES[2])):
        assert response.status_code in (404, 409)
    assert active_number() == 2


@pytest.mark.parametrize(
    ("reports", "status", "says"),
    [
        (Answers([], 0), 503, "No worker is connected"),
        (BrokerUnavailableError("gone"), 503, "The broker cannot be reached"),
    ],
)
def test_what_is_away_is_said_with_what_to_do(
    reports: Any, status: int, says: str, operator: Client, gateway: PretendedGateway
) -> None:
    past()
    gateway.fleet.reports = reports

    response = operator.post(CHANGES[0])
    answer = operator.post(CHANGES[0], **JSON)

    assert response.status_code == answer.status_code == status
    assert says in response.content.decode()
    assert says in json.loads(answer.content)["trouble"]
    assert json.loads(answer.content)["to_do"]
    assert active_number() == 2


def test_a_database_that_is_away_is_said(operator: Client, gateway: PretendedGateway, monkeypatch: Any) -> None:
    def refuse(*_: object) -> None:
        raise OperationalError("gone")

    past()
    monkeypatch.setattr(services, "delete_version", refuse)

    response = operator.post(CHANGES[2])

    assert response.status_code == 503
    assert "The database cannot be reached." in response.content.decode()


def test_as_many_changes_as_may_are_made_at_once(
    operator: Client, workers: PretendedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    past()
    monkeypatch.setattr(weight_changes, "_begin", lambda: False)

    for response in (operator.post(CHANGES[0]), operator.post(UPLOAD, form())):
        assert response.status_code == 503
        assert "weight changes, as many as it may" in response.content.decode()


def test_what_a_worker_could_not_load_leads_to_its_trace(operator: Client, gateway: PretendedGateway) -> None:
    past()
    gateway.fleet.reports = Answers([loaded("w1"), failed("w2", TRACE)], 0)

    page = operator.post(CHANGES[0], follow=True).content.decode()

    assert "Version 1 is not active: 1 of 2 workers did not load it." in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert(1)" not in page
    assert active_number() == 2


def test_the_reports_of_a_running_activation_are_shown(operator: Client) -> None:
    version = past()[0]
    latest = Activation.objects.latest("id").pk
    progress = f"{NETWORK}/versions/1/progress/?after={latest}"
    assert 'id="waiting"' in text(operator, progress)

    activation = services.begin(version, Activation.Kind.ACTIVATE, "somebody")
    services.note_reports(activation, [failed("w2", TRACE)], 3)
    page = text(operator, progress)

    assert "1 of 3 workers have reported so far" in page
    assert 'data-worker="w2" data-loaded="false"' in page
    assert "data-ended" not in page
    services.close(activation, Activation.Outcome.FAILED, "w2: no")
    assert 'data-ended="failed"' in text(operator, progress)


def test_a_page_about_one_activation_shows_its_own_reports(operator: Client) -> None:
    version = past()[0]
    first, second = (services.begin(version, Activation.Kind.ACTIVATE, "somebody") for _ in range(2))
    services.close(second, Activation.Outcome.FAILED, "no")
    progress = f"{NETWORK}/versions/1/progress/?activation="

    assert "data-ended" not in text(operator, f"{progress}{first.pk}")
    assert 'data-ended="failed"' in text(operator, f"{progress}{second.pk}")
    assert 'id="waiting"' in text(operator, f"{progress}{second.pk + 1}")


def test_weights_are_downloaded(operator: Client) -> None:
    past()
    for client in (operator, person("viewer", "looks")):
        response = client.get(f"{NETWORK}/versions/1/download/")

        assert b"".join(response) == b"one"  # type: ignore[call-overload]
        assert f'filename="{NN_ID}_1.' in response.headers["Content-Disposition"]
    assert person(None, "nobody").get(f"{NETWORK}/versions/1/download/").status_code == 403
    services.delete_version(NN_ID, 1, "somebody")
    assert operator.get(f"{NETWORK}/versions/1/download/").status_code == 404
