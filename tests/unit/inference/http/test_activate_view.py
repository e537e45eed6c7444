"""POST /networks/<nn_id>/activate and /rollback, with workers that only pretend."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from inference.errors import BrokerUnavailableError
from inference.models import Activation
from inference.versions.asking import Answers
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import NN_ID, active_number, failed, loaded, two_versions

pytestmark = pytest.mark.django_db
ACTIVATE, ROLLBACK = f"/networks/{NN_ID}/activate", f"/networks/{NN_ID}/rollback"


@pytest.fixture(autouse=True)
def served(gateway: PretendedGateway) -> PretendedGateway:
    """Versions 1 and 2, the second active, and two workers that load what they are asked to."""
    gateway.fleet.reports = Answers([loaded("w1"), loaded("w2")], 0)
    two_versions()
    return gateway


def post(client: Client, path: str, body: Any = None) -> Any:
    return client.post(path, {} if body is None else body, content_type="application/json")


def switch(client: Client, way: str) -> Any:
    """Version 1 becomes active again, either way."""
    return post(client, ACTIVATE, {"version": 1}) if way == "activate" else post(client, ROLLBACK)


@pytest.fixture(params=["activate", "rollback"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_answer_is_that_of_an_upload(way: str, client: Client) -> None:
    response = switch(client, way)

    assert response.status_code == 200
    assert response.json() == {
        "status": True,
        "message": "OK",
        "workers_count": 2,
        "workers": [{"result": True, "worker": "w1"}, {"result": True, "worker": "w2"}],
        "version": 1,
        "nn_id": NN_ID,
        "previous_version": 2,
        "workers_asked": 2,
        "workers_answered": 2,
    }
    assert active_number() == 1
    activation = Activation.objects.latest("id")
    assert (activation.kind, activation.requested_by) == (way, "127.0.0.1")


def test_what_a_worker_could_not_load_is_200_and_changes_nothing(
    way: str, client: Client, served: PretendedGateway
) -> None:
    served.fleet.reports = Answers([failed("w1")], 1)

    body = switch(client, way).json()

    assert (body["status"], body["message"]) == (False, "One or more workers were failed with weights loading")
    assert (body["workers_count"], body["workers_asked"], body["workers_answered"]) == (2, 2, 1)
    assert (body["version"], body["previous_version"]) == (1, 2)
    assert all("trace" in worker for worker in body["workers"])
    assert active_number() == 2


@pytest.mark.parametrize("reports", [Answers([], 0), BrokerUnavailableError("gone")], ids=["no workers", "no broker"])
def test_what_reaches_nobody_is_503_and_says_how_to_go_on(
    reports: Any, way: str, client: Client, served: PretendedGateway
) -> None:
    served.fleet.reports = reports

    response = switch(client, way)

    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
    assert f'POST {ACTIVATE} with {{"version": 1}}' in response.json()["message"]
    assert active_number() == 2


@pytest.mark.parametrize(
    "body",
    [b"", b"1", b"[1]", b"null", b"{}", b"version=1", b'{"version": "1"}', b'{"version": true}', b'{"version": null}',
     b'{"version": 1.0}', b'{"version": 0}', b'{"version": -1}', b'{"version": 10000000000}', b'{"version": [1]}'],
    ids=lambda body: repr(body),
)  # fmt: skip
def test_a_body_that_names_no_version_is_400(body: bytes, client: Client) -> None:
    response = client.post(ACTIVATE, body, content_type="application/json")

    assert (response.status_code, response.json()["status"]) == (400, False)
    assert response.json()["message"]
    assert active_number() == 2


@pytest.mark.parametrize("path", [ACTIVATE, ROLLBACK])
def test_a_body_over_the_limit_is_413(path: str, client: Client, settings: Settings) -> None:
    settings.PIPELINE_MAX_BODY_BYTES = 100

    assert post(client, path, {"version": 1, "more": "x" * 200}).status_code == 413


def test_what_is_not_there_is_404(client: Client) -> None:
    assert post(client, ACTIVATE, {"version": 3}).status_code == 404
    for action in ("activate", "rollback"):
        assert post(client, f"/networks/{'f' * 32}/{action}", {"version": 1}).status_code == 404
        assert post(client, f"/networks/no-id/{action}", {"version": 1}).status_code == 404


def test_nothing_to_roll_back_to_is_409(client: Client) -> None:
    assert switch(client, "rollback").status_code == 200

    response = switch(client, "rollback")

    assert (response.status_code, response.json()["status"]) == (409, False)
    assert "nothing to roll back to" in response.json()["message"]


def test_a_deleted_version_is_not_activated(client: Client) -> None:
    assert client.delete(f"/networks/{NN_ID}/versions/1").status_code == 200

    assert switch(client, "activate").status_code == 409
    assert switch(client, "rollback").status_code == 409
