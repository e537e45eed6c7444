"""However a weight change ends, what is served, its record and the log tell the same."""

from __future__ import annotations

from datetime import timedelta
from typing import NoReturn

import pytest
from django.db import OperationalError
from django.utils import timezone

from inference.errors import (
    ConflictError,
    NoWorkersError,
)
from inference.models import Activation, Version
from inference.versions import services
from inference.versions.asking import Answers
from tests.unit.inference.versions.switching import MORE_WEIGHTS, latest, upload
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import NN_ID, active_number, loaded
from workers.messages.refusals import SignatureError, refusals

pytestmark = pytest.mark.django_db


def test_a_version_that_is_deleted_while_workers_load_it_does_not_become_active(served: PretendedGateway) -> None:
    asked = served.fleet.load

    def load(version: object, timeout_seconds: float, *_: object) -> object:
        services.delete_version(NN_ID, 2, "somebody else")
        return asked(version, timeout_seconds)  # type: ignore[arg-type]

    served.fleet.load = load  # type: ignore[method-assign,assignment]
    with pytest.raises(ConflictError):
        upload(MORE_WEIGHTS)

    assert active_number() == 1
    assert (latest().outcome, latest().reports.count()) == ("failed", 2)
    assert "deleted meanwhile" in latest().detail


@pytest.mark.parametrize("error", [OperationalError("secret"), RuntimeError("a defect"), SystemExit(1)], ids=repr)
def test_whatever_ends_an_activation_its_row_is_closed(
    error: BaseException, served: PretendedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> NoReturn:
        raise error

    monkeypatch.setattr(services, "commit", fail)
    with pytest.raises(type(error)):
        upload(MORE_WEIGHTS)

    assert (latest().outcome, latest().detail) == ("unavailable", f"interrupted by {type(error).__name__}")
    assert active_number() == 1
    assert Version.objects.get(number=2).state == Version.State.PENDING


def test_an_activation_that_cannot_be_closed_keeps_the_error_and_shows_as_interrupted(
    served: PretendedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> NoReturn:
        raise OperationalError("gone")

    monkeypatch.setattr(services, "close", fail)
    served.fleet.reports = Answers([], 0)
    with pytest.raises(NoWorkersError):
        upload(MORE_WEIGHTS)

    assert latest().ending == "running"
    Activation.objects.filter(pk=latest().pk).update(started_at=timezone.now() - timedelta(minutes=5))
    assert latest().ending == "interrupted"
    Activation.objects.update(outcome=Activation.Outcome.ACTIVATED)
    assert latest().ending == "activated"


def test_one_that_nobody_could_load_is_in_the_log_with_its_network_and_version(
    served: PretendedGateway, caplog: pytest.LogCaptureFixture
) -> None:
    served.fleet.reports = Answers([], 0)
    with pytest.raises(NoWorkersError):
        upload(MORE_WEIGHTS)

    line = next(record for record in caplog.records if "does not become active" in record.message)

    assert "no worker is connected" in line.message
    assert (vars(line)["nn_id"], vars(line)["version"]) == (NN_ID, 2)


def test_where_keys_differ_a_failed_change_names_the_key(served: PretendedGateway) -> None:
    refusals.add(SignatureError("it is not signed"))
    served.fleet.reports = Answers([], 0)
    with pytest.raises(NoWorkersError, match=r"no worker is connected; messages were refused .* PIPELINE_MESSAGE_KEY"):
        upload(MORE_WEIGHTS)

    served.fleet.reports = Answers([loaded("w1")], 1)

    assert "PIPELINE_MESSAGE_KEY" in upload(MORE_WEIGHTS).reports[1].trace
